"""Floor 7: arguments and exit codes. Every import of weight happens inside the command that needs it."""
