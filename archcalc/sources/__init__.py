"""Whose model it is: from what a person names to a torch module."""
