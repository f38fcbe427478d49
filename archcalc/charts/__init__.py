"""Charts of what is known of networks, as Vega-Lite specifications: plain data that vl-convert turns into pictures."""
