"""What running contracts costs: a run's steps, and single examples by size and mode.

Numbers only, in seconds; `parity.proof.bench.tables` shows them.
"""
