"""What is worth knowing before anything runs: versions, what is active, where the losses are, what a data set holds.

Nothing heavy is imported: versions are read from what is installed, places from the sources. To add a check, write a
function that gives findings, and call it in `parity.cli.preflight`.
"""
