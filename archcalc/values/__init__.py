"""Every noun of the package as a frozen value, without torch: it can be written as JSON and read back equal."""
