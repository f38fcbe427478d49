"""One file a command: from a value to a Document."""
