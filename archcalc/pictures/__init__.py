"""Pictures of a network: its graph, where everything goes, and files that show it. Nothing here needs torch."""
