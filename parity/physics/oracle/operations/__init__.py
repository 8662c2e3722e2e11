"""The functions the oracle is written in, each with the rule for its rounding error.

Every operation is one entry: the NumPy function that evaluates it, and under `@operation` (`base.py`) the error of its
result. The constants in the rules cover how TensorFlow and PyTorch really evaluate (`x**2` through pow, sums in pairs,
FFTs by factors), not only correctly rounded operations. To add an operation, add its entry to the module of its kind
and its name here; `tests/parity/physics/test_operations.py` holds it against measured rounding.
"""

from __future__ import annotations

from parity.physics.oracle.operations.base import Axes, grid_dtype, operation, values
from parity.physics.oracle.operations.elementwise import (
    absolute,
    absolute_square,
    conjugate,
    digamma_plus_one,
    exp,
    imaginary,
    log,
    log_gamma_plus_one,
    real,
    sigmoid,
    sqrt,
    square,
    tanh,
)
from parity.physics.oracle.operations.interpolation import interpolate
from parity.physics.oracle.operations.kinks import either, largest, rectify, selection, sign, step, turn_sign
from parity.physics.oracle.operations.moves import (
    broadcast,
    fftshift,
    ifftshift,
    neighbourhoods,
    pad,
    reshape,
    stack,
    transpose,
    where,
    window,
)
from parity.physics.oracle.operations.phases import angle, cis, direction, wrap
from parity.physics.oracle.operations.sums import biased, matmul, mean, total
from parity.physics.oracle.operations.transforms import adjoint_dft2, dft2

__all__ = [
    "Axes",
    "absolute",
    "absolute_square",
    "adjoint_dft2",
    "angle",
    "biased",
    "broadcast",
    "cis",
    "conjugate",
    "dft2",
    "digamma_plus_one",
    "direction",
    "either",
    "exp",
    "fftshift",
    "grid_dtype",
    "ifftshift",
    "imaginary",
    "interpolate",
    "largest",
    "log",
    "log_gamma_plus_one",
    "matmul",
    "mean",
    "neighbourhoods",
    "operation",
    "pad",
    "real",
    "rectify",
    "reshape",
    "selection",
    "sigmoid",
    "sign",
    "sqrt",
    "square",
    "stack",
    "step",
    "tanh",
    "total",
    "transpose",
    "turn_sign",
    "values",
    "where",
    "window",
    "wrap",
]
