"""Says who is wrong, and where: asks the oracle, runs the stacks, and turns measurements into verdicts."""
