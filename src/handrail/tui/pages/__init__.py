"""The pages: each takes keys, submits intents, and paints with the pure functions of the floor."""
