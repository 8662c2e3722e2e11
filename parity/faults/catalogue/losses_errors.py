"""Defects of the errors of amplitudes."""

from __future__ import annotations

from parity.faults.base import Arguments, Defect, given, replaced, returning
from parity.faults.catalogue.common import of_the_last, pixel
from parity.faults.idiom import GROUP, PLANE, Idiom, Tensor

_SQUARED = "predicted enters squared (an intensity where an amplitude is meant)"
_DARK = "dark pixels"


def _errors(xp: Idiom, a: Arguments) -> Tensor:
    return xp.abs(a.predicted - a.observed)


def _huber(xp: Idiom, a: Arguments) -> Tensor:
    error = _errors(xp, a)
    return xp.mean(xp.where(error < 1, xp.square(error) / 2, error - 0.5))


def _over_lit_pixels(xp: Idiom, a: Arguments) -> Tensor:
    lit = xp.cast_like(a.observed > 0, a.observed)
    return xp.sum(_errors(xp, a) * lit) / xp.maximum(xp.sum(lit), 1.0)


DEFECTS = (
    Defect(
        "losses.absolute_error",
        "layer-predicted-squared",
        _SQUARED,
        given(predicted=lambda xp, x: xp.square(x)),
        at="model.absolute_error",
        stacks=("torch",),
    ),
    Defect(
        "losses.absolute_error",
        "sign-kept",
        "the sign of the difference is kept",
        replaced(lambda xp, a: a.predicted - a.observed),
    ),
    Defect(
        "losses.absolute_error",
        "relative",
        "the error is relative to the observation",
        returning(lambda xp, r, a: r / xp.where(a.observed > 0, a.observed, xp.ones_like(r))),
    ),
    Defect("losses.absolute_error", "squared", "the result is squared", returning(lambda xp, r, a: xp.square(r))),
    Defect(
        "losses.absolute_error",
        "smooth-root",
        "the modulus is a root with ε = 1e-6 under it",
        returning(lambda xp, r, a: xp.sqrt(xp.square(r) + 1e-6)),
        shows="amplitudes that agree",
        diagnosis=("a constant is added under the root",),
    ),
    Defect(
        "losses.absolute_error",
        "rows-for-columns",
        "rows and columns of observed are exchanged",
        given(observed=lambda xp, x: xp.swapped(x, *PLANE)),
        diagnosis=("rows and columns of observed are exchanged", "it raises an error"),
    ),
    Defect(
        "losses.absolute_error",
        "hot-pixel",
        "one pixel is wrong",
        returning(lambda xp, r, a: r + pixel(xp, r, 3, 2)),
        diagnosis=(),
    ),
    Defect(
        "losses.absolute_error",
        "last-patch-shifted",
        "the last patch is a pixel off",
        given(observed=of_the_last(lambda xp, x: xp.roll(x, 1, -1), 1)),
        shows="several patches",
        diagnosis=(),
    ),
    Defect("losses.mae", "predicted-squared", _SQUARED, given(predicted=lambda xp, x: xp.square(x))),
    Defect(
        "losses.mae",
        "both-squared",
        "intensities are compared",
        given(predicted=lambda xp, x: xp.square(x), observed=lambda xp, x: xp.square(x)),
    ),
    Defect(
        "losses.mae",
        "divided-by-mean-observation",
        "the error is divided by the mean of the observation",
        returning(lambda xp, mae, a: mae / xp.mean(a.observed)),
    ),
    Defect(
        "losses.mae",
        "summed-over-groups",
        "the patterns are summed, their mean is taken over groups alone",
        returning(lambda xp, mae, a: mae * xp.count(a.predicted, GROUP)),
    ),
    Defect(
        "losses.mae",
        "summed",
        "a sum stands for the mean",
        returning(lambda xp, mae, a: mae * xp.count(a.predicted, (0, *GROUP))),
    ),
    Defect(
        "losses.mae",
        "mean-of-squares",
        "the mean of squares is returned",
        replaced(lambda xp, a: xp.mean(xp.square(_errors(xp, a)))),
    ),
    Defect(
        "losses.mae",
        "signed",
        "the sign of the difference is kept",
        replaced(lambda xp, a: xp.mean(a.predicted - a.observed)),
    ),
    Defect("losses.mae", "predicted-detached", "predicted is detached", given(predicted=lambda xp, x: xp.detach(x))),
    Defect(
        "losses.mae",
        "over-lit-pixels",
        "the mean is over pixels with photons alone",
        replaced(_over_lit_pixels),
        shows=_DARK,
        diagnosis=(),
    ),
    Defect(
        "losses.mae",
        "huber",
        "errors below 1 enter squared (Huber's loss)",
        replaced(_huber),
        diagnosis=(),
    ),
    Defect(
        "losses.mae",
        "bfloat16",
        "the mean is rounded to bfloat16",
        returning(lambda xp, mae, a: xp.through(mae, "bfloat16")),
        diagnosis=("an intermediate is bfloat16", "the result is truncated to bfloat16"),
    ),
    Defect(
        "losses.mae",
        "patches-reversed",
        "the patches of observed are in another order",
        given(observed=lambda xp, x: xp.flip(x, 1)),
        shows="several patches",
        diagnosis=tuple(f"the patches of {name} are in another order" for name in ("observed", "predicted")),
    ),
    Defect(
        "losses.mae",
        "outliers-cut",
        "errors beyond twice their mean are cut off",
        replaced(lambda xp, a: xp.mean(xp.minimum(_errors(xp, a), 2 * xp.mean(_errors(xp, a))))),
        diagnosis=(),
    ),
)
