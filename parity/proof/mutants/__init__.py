"""Mutants: small changes to the sources of the stacks, each of which the harness must notice."""
