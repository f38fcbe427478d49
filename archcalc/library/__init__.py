"""The functions that `import archcalc` offers, one file a question."""
