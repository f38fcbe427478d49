"""How long a network takes: forward, backward, a whole training step, and layer by layer."""
