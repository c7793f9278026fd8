"""Vectors of texts: a sentence-transformers folder, read, run in batches, and its vectors cached."""
