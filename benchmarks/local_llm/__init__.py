"""Benchmarks of the model on this machine, as ratios between sides that take turns in one run."""
