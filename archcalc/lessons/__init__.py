"""What lectures argue, shown by running real networks: how gradients flow, what is cheaper, what trains."""
