"""Real, trainable torch implementations of the networks, one file a family, and their registry."""
