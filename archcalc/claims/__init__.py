"""What documents say about networks, as data, and the check of it against what is computed."""
