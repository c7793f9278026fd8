"""The network for processors: quantised weights, mapped from a file, and loops compiled for this machine by numba."""
