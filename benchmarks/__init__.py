"""Benchmarks of the runtime: ratios against the raw limit and against peers, measured side by side in one run."""
