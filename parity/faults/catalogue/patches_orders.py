"""Defects in where patches of a group are said to lie, how large their canvas is, and in which order they come."""

from __future__ import annotations

from typing import Any

from parity.contracts.changes import Arguments, Change, given, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.common import of_the_last
from parity.faults.generated import Generated


def _size_without(gaps: int = -1, jitters: int = 2, even: bool = True) -> Change:
    def formula(xp: Namespace, a: Arguments) -> Any:
        room = (a.gridsize + gaps) * a.offset + jitters * a.jitter
        return a.size + room + (room % 2 if even else 0)

    return replaced(formula)


def _groups_innermost(xp: Namespace, x: Tensor) -> Tensor:
    """The patches in the order c·B + b, as if that were b·C + c."""
    return xp.reshape(xp.swapped(x, 0, 1), xp.shape(x))


def _read_groups_innermost(xp: Namespace, x: Tensor) -> Tensor:
    """The inverse: what lies at b·C + c is taken for patch c·B + b."""
    groups, count, height, width = xp.shape(x)
    return xp.swapped(xp.reshape(x, (count, groups, height, width)), 0, 1)


def _least(xp: Namespace, x: Tensor) -> Tensor:
    return -xp.max(-x, 1, keepdims=True)


def _most(xp: Namespace, x: Tensor) -> Tensor:
    return xp.max(x, 1, keepdims=True)


PLACES = (
    Fault(
        "patches.relative_positions",
        "added-mean",
        "the mean is added, not taken away",
        replaced(lambda xp, a: xp.mean(a.positions, 1, keepdims=True) + a.positions),
    ),
    Fault(
        "patches.relative_positions",
        "mean-of-the-batch",
        "the mean is that of the whole batch",
        replaced(lambda xp, a: xp.mean(a.positions, (0, 1), keepdims=True) - a.positions),
        shows="two groups or more",
    ),
    Fault("patches.relative_positions", "no-mean", "the mean is left out", replaced(lambda xp, a: -a.positions)),
    Fault(
        "patches.relative_positions",
        "first-patch",
        "the first patch stands for the mean",
        replaced(lambda xp, a: a.positions[:, :1] - a.positions),
    ),
    Fault(
        "patches.relative_positions",
        "middle",
        "the middle between the extremes stands for the mean",
        replaced(lambda xp, a: (_least(xp, a.positions) + _most(xp, a.positions)) / 2 - a.positions),
        shows="three patches or more",
    ),
    Generated(
        "patches.relative_positions",
        "result-negated",
        called="sign",
        diagnosis=(
            "the result has the opposite sign",
            "the sign of the positions is flipped",
            "positions enters times a constant factor",
            "the result is off by a constant factor",
        ),
    ),
    Fault(
        "patches.relative_positions",
        "mean-detached",
        "the mean is detached",
        replaced(lambda xp, a: xp.detach(xp.mean(a.positions, 1, keepdims=True)) - a.positions),
        shows="a gradient",
        blind=True,
    ),
    Generated("patches.relative_positions", "positions-float16", called="float16"),
    Generated("patches.relative_positions", "positions-reshaped", called="channels-last-reshaped"),
    Fault(
        "patches.padded_size",
        "one-sided-jitter",
        "the jitter is allowed for on one side only",
        _size_without(jitters=1),
        shows="a jitter",
    ),
    Fault(
        "patches.padded_size",
        "gaps",
        "gridsize gaps are counted for gridsize − 1",
        _size_without(gaps=0),
        shows="an offset",
    ),
    Fault(
        "patches.padded_size",
        "odd-difference",
        "the size is not rounded up to the parity of N",
        _size_without(even=False),
        shows="an odd difference",
    ),
    Fault("patches.padded_size", "no-jitter", "the jitter is forgotten", _size_without(jitters=0), shows="a jitter"),
    Fault(
        "patches.padded_size",
        "two-more",
        "the canvas is two pixels larger",
        returning(lambda xp, x, a: x + 2),
        diagnosis=("a constant is added to the result",),
    ),
)


ORDERS = (
    Fault(
        "patches.channel_to_flat",
        "groups-innermost",
        "the groups come innermost",
        given(patches=_groups_innermost),
        shows="two groups of two patches or more",
    ),
    Fault(
        "patches.channel_to_flat",
        "reversed",
        "the patches are in reverse",
        returning(lambda xp, x, a: xp.flip(x, 0)),
        shows="two patches or more",
    ),
    Generated("patches.channel_to_flat", "patches-reshaped", called="channels-last-reshaped"),
    Fault(
        "patches.flat_to_channel",
        "groups-innermost",
        "the groups come innermost",
        returning(lambda xp, x, a: _read_groups_innermost(xp, x)),
        shows="two groups of two patches or more",
    ),
    Fault(
        "patches.flat_to_channel",
        "reversed",
        "the patches of a group are in reverse",
        returning(lambda xp, x, a: xp.flip(x, 1)),
        shows="two patches or more",
    ),
    Generated("patches.flat_to_channel", "result-reshaped", called="channels-last", shows="two patches or more"),
    Fault(
        "patches.grid_to_channel",
        "by-column",
        "the grid is column by column (c = column·gridsize + row)",
        given(grid=lambda xp, x: xp.swapped(x, 1, 2)),
        shows="two patches a side or more",
    ),
    Fault(
        "patches.grid_to_channel",
        "from-below",
        "the rows of the grid are counted from below",
        given(grid=lambda xp, x: xp.flip(x, 1)),
        shows="two patches a side or more",
    ),
    Fault(
        "patches.grid_to_channel",
        "last-conjugated",
        "the last patch of every group is conjugated",
        returning(lambda xp, x, a: of_the_last(lambda xp, x: xp.conj(x), 1)(xp, x)),
        shows="two patches or more",
        diagnosis=(),
    ),
)

FAULTS = (*PLACES, *ORDERS)
