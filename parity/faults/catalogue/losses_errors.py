"""Defects of the errors of amplitudes."""

from __future__ import annotations

from parity.faults.base import Fault
from parity.faults.catalogue.common import of_the_last, pixel
from parity.faults.changes import Arguments, given, replaced, returning
from parity.faults.namespace import GROUP, PLANE, Namespace, Tensor

_SQUARED = "predicted enters squared (an intensity where an amplitude is meant)"
_DARK = "dark pixels"


def _errors(xp: Namespace, a: Arguments) -> Tensor:
    return xp.abs(a.predicted - a.observed)


def _huber(xp: Namespace, a: Arguments) -> Tensor:
    error = _errors(xp, a)
    return xp.mean(xp.where(error < 1, xp.square(error) / 2, error - 0.5))


def _over_lit_pixels(xp: Namespace, a: Arguments) -> Tensor:
    lit = xp.cast_like(a.observed > 0, a.observed)
    return xp.sum(_errors(xp, a) * lit) / xp.maximum(xp.sum(lit), 1.0)


FAULTS = (
    Fault(
        "losses.absolute_error",
        "layer-predicted-squared",
        _SQUARED,
        given(predicted=lambda xp, x: xp.square(x)),
        at="model.absolute_error",
        stacks=("torch",),
    ),
    Fault(
        "losses.absolute_error",
        "sign-kept",
        "the sign of the difference is kept",
        replaced(lambda xp, a: a.predicted - a.observed),
    ),
    Fault(
        "losses.absolute_error",
        "relative",
        "the error is relative to the observation",
        returning(lambda xp, r, a: r / xp.where(a.observed > 0, a.observed, xp.ones_like(r))),
    ),
    Fault("losses.absolute_error", "squared", "the result is squared", returning(lambda xp, r, a: xp.square(r))),
    Fault(
        "losses.absolute_error",
        "smooth-root",
        "the modulus is a root with ε = 1e-6 under it",
        returning(lambda xp, r, a: xp.sqrt(xp.square(r) + 1e-6)),
        shows="amplitudes that agree",
        diagnosis=("a constant is added under the root",),
    ),
    Fault(
        "losses.absolute_error",
        "rows-for-columns",
        "rows and columns of observed are exchanged",
        given(observed=lambda xp, x: xp.swapped(x, *PLANE)),
        diagnosis=("rows and columns of observed are exchanged", "it raises an error"),
    ),
    Fault(
        "losses.absolute_error",
        "hot-pixel",
        "one pixel is wrong",
        returning(lambda xp, r, a: r + pixel(xp, r, 3, 2)),
        diagnosis=(),
    ),
    Fault(
        "losses.absolute_error",
        "last-patch-shifted",
        "the last patch is a pixel off",
        given(observed=of_the_last(lambda xp, x: xp.roll(x, 1, -1), 1)),
        shows="several patches",
        diagnosis=(),
    ),
    Fault("losses.mae", "predicted-squared", _SQUARED, given(predicted=lambda xp, x: xp.square(x))),
    Fault(
        "losses.mae",
        "both-squared",
        "intensities are compared",
        given(predicted=lambda xp, x: xp.square(x), observed=lambda xp, x: xp.square(x)),
    ),
    Fault(
        "losses.mae",
        "divided-by-mean-observation",
        "the error is divided by the mean of the observation",
        returning(lambda xp, mae, a: mae / xp.mean(a.observed)),
    ),
    Fault(
        "losses.mae",
        "summed-over-groups",
        "the patterns are summed, their mean is taken over groups alone",
        returning(lambda xp, mae, a: mae * xp.size(a.predicted, GROUP)),
    ),
    Fault(
        "losses.mae",
        "summed",
        "a sum stands for the mean",
        returning(lambda xp, mae, a: mae * xp.size(a.predicted, (0, *GROUP))),
    ),
    Fault(
        "losses.mae",
        "mean-of-squares",
        "the mean of squares is returned",
        replaced(lambda xp, a: xp.mean(xp.square(_errors(xp, a)))),
    ),
    Fault(
        "losses.mae",
        "signed",
        "the sign of the difference is kept",
        replaced(lambda xp, a: xp.mean(a.predicted - a.observed)),
    ),
    Fault("losses.mae", "predicted-detached", "predicted is detached", given(predicted=lambda xp, x: xp.detach(x))),
    Fault(
        "losses.mae",
        "over-lit-pixels",
        "the mean is over pixels with photons alone",
        replaced(_over_lit_pixels),
        shows=_DARK,
        diagnosis=(),
    ),
    Fault(
        "losses.mae",
        "huber",
        "errors below 1 enter squared (Huber's loss)",
        replaced(_huber),
        diagnosis=(),
    ),
    Fault(
        "losses.mae",
        "bfloat16",
        "the mean is rounded to bfloat16",
        returning(lambda xp, mae, a: xp.through(mae, "bfloat16")),
        diagnosis=("an intermediate is bfloat16", "the result is truncated to bfloat16"),
    ),
    Fault(
        "losses.mae",
        "patches-reversed",
        "the patches of observed are in another order",
        given(observed=lambda xp, x: xp.flip(x, 1)),
        shows="several patches",
        diagnosis=tuple(f"the patches of {name} are in another order" for name in ("observed", "predicted")),
    ),
    Fault(
        "losses.mae",
        "outliers-cut",
        "errors beyond twice their mean are cut off",
        replaced(lambda xp, a: xp.mean(xp.minimum(_errors(xp, a), 2 * xp.mean(_errors(xp, a))))),
        diagnosis=(),
    ),
)
