"""Floor 4: the seven actions, one module each. They are told what to do and speak to the world through `port` only."""
