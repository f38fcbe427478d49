"""The rules of other tools, a file for each way of counting."""
