"""Goldens: cases frozen with everything that judges one stack on a machine that lacks the other."""
