"""Floor 6: the plain front end. Words, one fact a line, no redraw; for screen readers, dumb terminals and machines."""
