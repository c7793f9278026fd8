"""Who does the work: our networks, our connector, plain transformers, the peers, and the limits of the machine."""
