"""Exposures, simulated and in files: NumPy and SciPy alone, the same for both stacks and for the harness.

`diffsim` and `objects` simulate, `npz`, `archive`, `scanfile` and `datafile` read and write files, `grouping` and
`groupedscan` put a scan into groups, `checks` refuses arrays, `files` writes whole files or none. Nothing here imports
a framework, a stack or the harness.
"""
