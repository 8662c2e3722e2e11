"""What must hold, and on which inputs it is tried.

`contract` has the words of a declaration, `declared` the declarations, `cases` the inputs; `mirror` and
`reachability` read the sources of the stacks.
"""
