"""The harness that keeps two implementations of one physics honest."""
