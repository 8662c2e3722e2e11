"""Goldens: cases frozen with all that is needed to judge one stack on a machine that lacks the other."""
