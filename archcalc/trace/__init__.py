"""What ran when a module met an input: every layer-level call, recorded without allocating a weight."""
