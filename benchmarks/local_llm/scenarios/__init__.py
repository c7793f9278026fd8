"""One module for each comparison, with a function `measure`."""
