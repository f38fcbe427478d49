"""The report: one HTML file that shows what networks cost, and asks the network for nothing."""
