"""Other tools, one file each: what it counts, what it prints, how to run it."""
