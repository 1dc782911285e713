"""The run folder, the data in it, and prediction from it."""
