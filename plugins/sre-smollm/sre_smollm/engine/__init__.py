"""One model for many requests: a queue, a scheduler, and a cache of what was read before."""
