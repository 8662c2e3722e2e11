"""Evidence that the harness works: its score, mutants of the stacks, the effect on a training, and its cost."""
