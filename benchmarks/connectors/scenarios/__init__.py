"""One module for each connector, with `measure`."""
