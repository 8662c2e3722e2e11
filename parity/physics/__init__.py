"""What is true: the physics in NumPy, in arithmetic that knows its own rounding, and the words for its tensors.

`oracle` has the equations, `kinds` says of a tensor its unit, axes and layouts, `precision` what a float can hold.
"""
