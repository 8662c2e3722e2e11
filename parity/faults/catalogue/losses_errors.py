"""Faults of the errors of amplitudes."""

from __future__ import annotations

from parity.contracts.changes import Arguments, given, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import GROUP, Namespace, Tensor
from parity.faults.catalogue.common import number, of_the_last, pixel
from parity.faults.generated import Generated


def _errors(xp: Namespace, a: Arguments) -> Tensor:
    return xp.abs(a.predicted - a.observed)


def _square(xp: Namespace, x: Tensor) -> Tensor:
    return xp.square(x)


def _huber(xp: Namespace, a: Arguments) -> Tensor:
    error = _errors(xp, a)
    return xp.mean(xp.where(error < 1, xp.square(error) / 2, error - 0.5))


def _median(xp: Namespace, x: Tensor) -> Tensor:
    """The middle of all elements, or the mean of the two in the middle."""
    ascending = xp.sort(xp.reshape(x, (-1,)))
    last = number(xp, xp.shape(ascending)[0], ascending) - 1
    middle = xp.stack([xp.floor(last / 2), last - xp.floor(last / 2)], 0)
    return xp.mean(xp.take(ascending, middle, 0))


def _over_lit_pixels(xp: Namespace, a: Arguments) -> Tensor:
    lit = xp.cast_like(a.observed > 0, a.observed)
    return xp.sum(_errors(xp, a) * lit) / xp.maximum(xp.sum(lit), 1.0)


FAULTS = (
    Fault(
        "losses.absolute_error",
        "both-squared",
        "intensities are compared",
        given(predicted=_square, observed=_square),
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
        returning(lambda xp, error, a: error / xp.where(a.observed > 0, a.observed, xp.ones_like(error))),
    ),
    Fault(
        "losses.absolute_error",
        "averaged",
        "the mean is returned",
        returning(lambda xp, r, a: xp.broadcast_like(xp.mean(r), r)),
    ),
    Generated(
        "losses.absolute_error",
        "predicted-squared",
        called="layer-predicted-squared",
        at="model.absolute_error",
        stacks=("torch",),
    ),
    Generated("losses.absolute_error", "result-squared", called="squared"),
    Generated(
        "losses.absolute_error",
        "observed-transposed",
        called="rows-for-columns",
        diagnosis=("rows and columns of observed are exchanged", "it raises an error"),
    ),
    Fault(
        "losses.absolute_error",
        "smooth-root",
        "the modulus is a root with ε = 1e-6 under it",
        returning(lambda xp, error, a: xp.sqrt(xp.square(error) + 1e-6)),
        shows="amplitudes that agree",
        diagnosis=("a constant is added under the root",),
    ),
    Fault(
        "losses.absolute_error",
        "hot-pixel",
        "one pixel is wrong",
        returning(lambda xp, error, a: error + pixel(xp, error, 3, 2)),
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
    Fault("losses.mae", "both-squared", "intensities are compared", given(predicted=_square, observed=_square)),
    Fault(
        "losses.mae", "summed", "a sum stands for the mean", returning(lambda xp, mae, a: mae * xp.size(a.predicted))
    ),
    Fault(
        "losses.mae",
        "summed-over-groups",
        "the patterns are summed, their mean is taken over groups alone",
        returning(lambda xp, mae, a: mae * xp.size(a.predicted, GROUP)),
    ),
    Fault(
        "losses.mae",
        "mean-of-squares",
        "the mean of squares is returned",
        replaced(lambda xp, a: xp.mean(xp.square(_errors(xp, a)))),
    ),
    Fault(
        "losses.mae",
        "root-mean-square",
        "the root of the mean of squares is returned",
        replaced(lambda xp, a: xp.sqrt(xp.mean(xp.square(_errors(xp, a))))),
    ),
    Fault(
        "losses.mae",
        "divided-by-mean-observation",
        "the error is divided by the mean of the observation",
        returning(lambda xp, mae, a: mae / xp.mean(a.observed)),
    ),
    Fault(
        "losses.mae",
        "signed",
        "the sign of the difference is kept",
        replaced(lambda xp, a: xp.mean(a.predicted - a.observed)),
    ),
    Fault(
        "losses.mae", "median", "the median stands for the mean", replaced(lambda xp, a: _median(xp, _errors(xp, a)))
    ),
    Generated("losses.mae", "predicted-squared"),
    Generated("losses.mae", "predicted-detached"),
    Generated(
        "losses.mae",
        "observed-patches-reordered",
        called="patches-reversed",
        diagnosis=tuple(f"the patches of {name} are in another order" for name in ("observed", "predicted")),
    ),
    Generated("losses.mae", "result-bfloat16", called="bfloat16"),
    Fault(
        "losses.mae",
        "over-lit-pixels",
        "the mean is over pixels with photons alone",
        replaced(_over_lit_pixels),
        shows="dark pixels",
        diagnosis=(),
    ),
    Fault("losses.mae", "huber", "errors below 1 enter squared (Huber's loss)", replaced(_huber), diagnosis=()),
    Fault(
        "losses.mae",
        "outliers-cut",
        "errors beyond twice their mean are cut off",
        replaced(lambda xp, a: xp.mean(xp.minimum(_errors(xp, a), 2 * xp.mean(_errors(xp, a))))),
        diagnosis=(),
    ),
)
