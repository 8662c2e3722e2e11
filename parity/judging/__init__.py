"""Who is wrong, and where: the oracle is asked, the stacks are run, measurements become verdicts."""
