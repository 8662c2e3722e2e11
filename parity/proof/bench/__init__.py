"""What running contracts costs: a run's steps, single examples by size and mode, and the same work by hand.

Numbers only, in seconds; `parity.proof.bench.tables` shows them.
"""
