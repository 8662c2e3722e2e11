"""What can be seen without guessing: an error, a missing axis, NaN, where it is wrong at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.faults.diagnosis.evidence import Exhibit
from parity.faults.diagnosis.explanation import Explanation

RAISES = "it raises an error"
NAN = "returns NaN"
UNSUMMED = "the result is not summed over all its axes"
SQUEEZED = "an axis of size one is missing"
BORDER = "only the frame's border is wrong"


def of_faults(exhibits: Sequence[Exhibit]) -> Explanation | None:
    """What the faults come to, where every exhibit has one of the same sort."""
    for cause, holds in (
        (RAISES, lambda exhibit: exhibit.fault is not None),
        (SQUEEZED, _is_squeezed),
        (UNSUMMED, _is_unsummed),
        (NAN, _is_nan),
    ):
        if all(holds(exhibit) for exhibit in exhibits):
            return Explanation(cause, lambda exhibit: None)
    return None


def border_alone(exhibits: Sequence[Exhibit]) -> bool:
    """Whether all that is wrong lies in the outermost rows and columns, in every exhibit."""
    return all(_is_border_alone(exhibit) for exhibit in exhibits)


def _is_squeezed(exhibit: Exhibit) -> bool:
    return any(
        got.shape != exhibit.right[q].shape
        and [n for n in got.shape if n != 1] == [n for n in exhibit.right[q].shape if n != 1]
        and got.ndim < exhibit.right[q].ndim
        for q, got in exhibit.got.items()
    )


def _is_unsummed(exhibit: Exhibit) -> bool:
    for quantity in exhibit.results:
        got, right = exhibit.got.get(quantity), exhibit.right[quantity]
        if got is not None and got.ndim > right.ndim and got.shape[: right.ndim] == right.shape:
            summed = got.astype(right.dtype).sum(axis=tuple(range(right.ndim, got.ndim)))
            off = np.abs(summed - right) / exhibit.bounds[quantity].allowed
            return bool(np.all(off <= np.sqrt(got.size)))
    return False


def _is_nan(exhibit: Exhibit) -> bool:
    return any(
        exhibit.got[q].shape == exhibit.right[q].shape and np.isnan(exhibit.got[q]).any()
        for q in exhibit.wrong
        if q in exhibit.faults
    )


def _is_border_alone(exhibit: Exhibit) -> bool:
    if exhibit.faults or exhibit.fault or not exhibit.wrong:
        return False
    quantity = exhibit.wrong[0]
    right, got = exhibit.right[quantity], exhibit.got[quantity]
    if right.ndim < 2 or min(right.shape[-2:]) < 4:
        return False
    off = np.abs(got - right) > exhibit.bounds[quantity].allowed
    return bool(off.any() and not off[..., 1:-1, 1:-1].any())
