"""Floor 2: the rules. Three pure functions and one table: `decide`, `evolve`, `due`; no I/O, no clock, no TOML."""
