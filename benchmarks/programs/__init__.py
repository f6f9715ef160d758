"""Programs that parts start: each is a process of its own, so that what it takes is not counted to another."""
