"""Ways to compute a model, behind one small interface."""
