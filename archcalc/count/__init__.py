"""What a trace costs: formulas, rows, totals and comparisons. Nothing here needs torch."""
