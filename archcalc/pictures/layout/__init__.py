"""Where everything in a picture goes: a graph of boxes becomes rectangles and lines."""
