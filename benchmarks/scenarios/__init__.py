"""One scenario in each module: what is measured, against what, and where the bar lies."""
