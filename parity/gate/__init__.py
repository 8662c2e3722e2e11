"""Before a merge: what a change touches, whether it holds, and what is worth knowing before a run."""
