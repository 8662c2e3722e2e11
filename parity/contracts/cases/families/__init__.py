"""Families of inputs: for each, its strata, its specification, and the functions that make arrays of one.

A specification is small enough to read, to shrink and to name. What it leaves open is drawn from its own seed. Through
`ptycho_exposures.diffsim` come an object without symmetry, a probe without symmetry, an exposure with its photon noise,
and a model's prediction of it. The arrays are canonical, float64 or complex128. Each draws from a random stream of its
own, so that an argument looks the same in every contract of a case.

A new family is a file: a `Stratum` with the fields that can be forced, the `Spec` that it draws, and functions of that
`Spec`, which arguments of contracts name as their `source`.
"""
