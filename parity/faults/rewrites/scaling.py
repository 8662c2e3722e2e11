"""Other ways to count photons and to scale."""

from __future__ import annotations

from parity.contracts.changes import Arguments, replaced
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import PLANE, Namespace, Tensor


def _real(xp: Namespace, amplitude: Tensor) -> Tensor:
    return xp.cast(amplitude, "float64") if "int" in str(amplitude.dtype) else amplitude


def _rows_then_columns(xp: Namespace, a: Arguments) -> Tensor:
    return xp.sum(xp.sum(xp.square(_real(xp, a.amplitude)), -1), -1)


def _product(xp: Namespace, a: Arguments) -> Tensor:
    amplitude = _real(xp, a.amplitude)
    return xp.sum(amplitude * amplitude, PLANE)


def _ratio_of_roots(xp: Namespace, a: Arguments) -> Tensor:
    return xp.sqrt(a.nphotons) / xp.sqrt(xp.mean(_product(xp, a)))


def _by_root_mean_square(xp: Namespace, a: Arguments) -> Tensor:
    amplitude = _real(xp, a.amplitude)
    return amplitude / (2 * xp.sqrt(xp.mean(xp.square(amplitude))))


REWRITES = (
    Rewrite("scaling.count_photons", "rows-then-columns", "rows are summed first", replaced(_rows_then_columns)),
    Rewrite("scaling.count_photons", "product", "the square is a product", replaced(_product)),
    Rewrite("scaling.scale_nphotons", "ratio-of-roots", "the roots are divided", replaced(_ratio_of_roots)),
    Rewrite(
        "scaling.normalize_amplitude",
        "root-mean-square",
        "the amplitude is divided by twice its root mean square",
        replaced(_by_root_mean_square),
    ),
    Rewrite(
        "scaling.apply_intensity_scale",
        "divided-by-reciprocal",
        "the amplitude is divided by e^−w",
        replaced(lambda xp, a: a.amplitude / xp.exp(-a.log_scale)),
    ),
    Rewrite(
        "scaling.apply_intensity_scale",
        "root-twice",
        "the root of the scale is applied twice",
        replaced(lambda xp, a: a.amplitude * xp.exp(a.log_scale / 2) * xp.exp(a.log_scale / 2)),
    ),
    Rewrite(
        "scaling.remove_intensity_scale",
        "times-reciprocal",
        "the amplitude is multiplied by e^−w",
        replaced(lambda xp, a: a.amplitude * xp.exp(-a.log_scale)),
    ),
)
