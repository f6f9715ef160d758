"""Floor 0: what every other floor stands on. It may import nothing of Handrail's and nothing outside the standard library."""
