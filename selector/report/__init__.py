"""Reports: they render the recommendation dictionary and compute nothing."""
