"""One module for each part; each has `measure(place) -> Part`."""
