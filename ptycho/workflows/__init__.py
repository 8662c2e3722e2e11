"""Workflows from the command line: simulated data sets on disk. NumPy alone, so that they start at once."""
