"""Defects of the losses on the object, and of what training minimises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from parity.faults.base import Fault
from parity.faults.catalogue.common import imaginary_part_detached, rounded
from parity.faults.catalogue.wiring import counted, exchanged, own
from parity.faults.changes import Arguments, given, giving, raw, replaced, returning, then
from parity.faults.namespace import GROUP, Namespace, Tensor

_SEVERAL = "several groups"
_WRAPPED = "phases that differ by more than π"


def _steps(patches: Tensor) -> tuple[Tensor, Tensor]:
    return patches[:, :, 1:] - patches[:, :, :-1], patches[..., 1:] - patches[..., :-1]


def _energy(xp: Namespace, x: Tensor) -> Tensor:
    return xp.square(xp.real(x)) + xp.square(xp.imag(x))


def _around_the_frame(xp: Namespace, a: Arguments) -> Tensor:
    return xp.sum(sum(_energy(xp, a.patches - xp.roll(a.patches, 1, axis)) for axis in (-1, -2)), GROUP)


def _isotropic(xp: Namespace, a: Arguments) -> Tensor:
    down, across = (_energy(xp, step) for step in _steps(a.patches))
    return xp.sum(xp.sqrt(down[..., :-1] + across[:, :, :-1] + 1e-12), GROUP)


def _second_neighbours(xp: Namespace, a: Arguments) -> Tensor:
    x = a.patches
    steps = x[:, :, 2:] - x[:, :, :-2], x[..., 2:] - x[..., :-2]
    return sum(xp.sum(_energy(xp, step), GROUP) for step in steps)


def _modulus_error(xp: Namespace, a: Arguments) -> Tensor:
    return xp.mean(xp.abs(xp.abs(a.patches) - xp.abs(a.target)))


def _angle_alone(xp: Namespace) -> Callable[[Tensor], Tensor]:
    return lambda field: xp.angle(xp.where(field == 0, xp.ones_like(field), field))


def _turns(xp: Namespace, a: Arguments) -> Tensor:
    turn = xp.angle(a.patches) - xp.angle(a.target)
    return xp.abs(turn - 2 * math.pi * xp.round(turn / (2 * math.pi)))


def _weight_by_modulus(xp: Namespace, a: Arguments) -> Tensor:
    return _modulus_error(xp, a) + xp.mean(_turns(xp, a) * xp.abs(a.target))


def _realspace(xp: Namespace, a: Arguments, of_target: bool = True, of_variation: bool = True) -> Tensor:
    """The real-space loss with the central weight on some of what it belongs on."""
    weight = own(xp, "patches.central_weight")(patches=a.patches)
    patches, target = xp.scaled(a.patches, weight), xp.scaled(a.target, weight)
    variation = own(xp, "losses.total_variation")(patches=patches if of_variation else a.patches)
    error = own(xp, "losses.complex_mae")(patches=patches, target=target if of_target else a.target)
    return a.tv_weight * xp.mean(variation) + a.realspace_mae_weight * error


def _nll(xp: Namespace, predicted: Tensor, observed: Tensor) -> Tensor:
    nll = own(xp, "losses.poisson_nll")(predicted=predicted, observed=observed, full=True)
    return xp.mean(nll) / xp.size(predicted, GROUP)


def _mae(xp: Namespace, predicted: Tensor, observed: Tensor) -> Tensor:
    return own(xp, "losses.mae")(predicted=predicted, observed=observed)


def _training(xp: Namespace, a: Arguments, nll: Tensor | None = None, mae: Tensor | None = None) -> Tensor:
    """The sum that training minimises, with another term in place of one of its own."""
    nll = _nll(xp, counted(xp, a.predicted, a), a.observed) if nll is None else nll
    mae = _mae(xp, a.predicted, a.observed) if mae is None else mae
    names = ("patches", "target", "tv_weight", "realspace_mae_weight")
    realspace = own(xp, "losses.realspace_loss")(**{name: getattr(a, name) for name in names})
    return a.nll_weight * nll + a.mae_weight * mae + a.realspace_weight * realspace


def _one_sided(xp: Namespace, wrap: Any) -> Any:
    return lambda angle: angle - 2 * math.pi * xp.floor(angle / (2 * math.pi))


def _by_half_turns(xp: Namespace, wrap: Any) -> Any:
    return lambda angle: angle - math.pi * xp.round(angle / math.pi)


VARIATION = (
    Fault(
        "losses.total_variation",
        "unsquared",
        "the modulus of the differences is not squared",
        replaced(lambda xp, a: sum(xp.sum(xp.abs(step), GROUP) for step in _steps(a.patches))),
    ),
    Fault(
        "losses.total_variation",
        "mean-for-sum",
        "the mean over differences stands for the sum",
        replaced(lambda xp, a: sum(xp.mean(_energy(xp, step), GROUP) for step in _steps(a.patches))),
    ),
    Fault(
        "losses.total_variation",
        "around-the-frame",
        "differences are taken around the frame",
        replaced(_around_the_frame),
        shows="content at the frame",
    ),
    Fault(
        "losses.total_variation",
        "modulus-alone",
        "the phase of the patches is left out",
        given(patches=lambda xp, x: xp.complex(xp.abs(x), xp.zeros_like(xp.abs(x)))),
    ),
    Fault(
        "losses.total_variation",
        "columns-alone",
        "only neighbouring columns are compared",
        replaced(lambda xp, a: xp.sum(_energy(xp, _steps(a.patches)[1]), GROUP)),
    ),
    Fault(
        "losses.total_variation",
        "groups-summed",
        "the groups are summed",
        returning(lambda xp, r, a: xp.broadcast_like(xp.sum(r, 0, True), r)),
        shows=_SEVERAL,
    ),
    Fault(
        "losses.total_variation",
        "imaginary-part-detached",
        "the imaginary part of patches is detached",
        given(patches=imaginary_part_detached),
    ),
    Fault(
        "losses.total_variation",
        "isotropic",
        "the root of both squares is summed (the isotropic variation)",
        replaced(_isotropic),
        diagnosis=(),
    ),
    Fault(
        "losses.total_variation",
        "second-neighbours",
        "each pixel is compared with its neighbour's neighbour",
        replaced(_second_neighbours),
        diagnosis=(),
    ),
)
"""Of the total variation."""

ERROR = (
    Fault(
        "losses.complex_mae",
        "not-wrapped",
        "the phase difference is not wrapped",
        raw(lambda xp, wrap: lambda angle: angle),
        at="losses._wrap",
        shows=_WRAPPED,
    ),
    Fault(
        "losses.complex_mae",
        "wrapped-one-sided",
        "the phase difference is wrapped into [0, 2π)",
        raw(_one_sided),
        at="losses._wrap",
    ),
    Fault(
        "losses.complex_mae",
        "wrapped-by-half-turns",
        "the phase difference is wrapped into [−π/2, π/2]",
        raw(_by_half_turns),
        at="losses._wrap",
        shows="phases that differ by more than π/2",
        diagnosis=(),
    ),
    Fault(
        "losses.complex_mae",
        "modulus-of-target",
        "|T| stands for T",
        given(target=lambda xp, x: xp.complex(xp.abs(x), xp.zeros_like(xp.abs(x)))),
    ),
    Fault(
        "losses.complex_mae",
        "modulus-of-difference",
        "the modulus of O − T is averaged",
        replaced(lambda xp, a: xp.mean(xp.abs(a.patches - a.target))),
    ),
    Fault("losses.complex_mae", "modulus-alone", "the error of the phase is left out", replaced(_modulus_error)),
    Fault(
        "losses.complex_mae",
        "phase-weighted",
        "the error of the phase is weighted by the modulus of T",
        replaced(_weight_by_modulus),
        diagnosis=(),
    ),
    Fault("losses.complex_mae", "target-detached", "target is detached", given(target=lambda xp, x: xp.detach(x))),
    Fault(
        "losses.complex_mae",
        "patches-in-complex64",
        "an intermediate is float32",
        given(patches=rounded("float32")),
        shows="a float64 run",
    ),
    Fault(
        "losses.complex_mae",
        "phase-unlifted",
        "the slope of the angle is divided by |z|², which underflows",
        raw(lambda xp, phase: _angle_alone(xp)),
        at="losses._phase",
        stacks=("torch",),
        shows="moduli below 10⁻¹⁹",
        diagnosis=("returns NaN",),
    ),
)
"""Of the error of the object."""

REALSPACE = (
    Fault(
        "losses.realspace_loss",
        "unweighted",
        "the central weight is left out",
        returning(lambda xp, weight, a: xp.ones_like(weight)),
        at="losses.central_weight",
    ),
    Fault(
        "losses.realspace_loss",
        "weight-a-pixel-off",
        "the central weight is a pixel off",
        returning(lambda xp, weight, a: xp.roll(weight, 1, -1)),
        at="losses.central_weight",
        diagnosis=(),
    ),
    Fault(
        "losses.realspace_loss",
        "target-unweighted",
        "the target is not weighted",
        replaced(lambda xp, a: _realspace(xp, a, of_target=False)),
    ),
    Fault(
        "losses.realspace_loss",
        "variation-unweighted",
        "the total variation is not weighted",
        replaced(lambda xp, a: _realspace(xp, a, of_variation=False)),
    ),
    Fault(
        "losses.realspace_loss",
        "variation-summed",
        "the total variation is summed over groups",
        giving(lambda xp, a: {"tv_weight": a.tv_weight * xp.size(a.patches, 0)}),
        shows=_SEVERAL,
    ),
    Fault(
        "losses.realspace_loss",
        "weights-exchanged",
        "tv_weight and realspace_mae_weight are exchanged",
        exchanged("tv_weight", "realspace_mae_weight"),
    ),
)
"""Of the loss on the object."""

TRAINING = (
    Fault(
        "losses.training_loss",
        "nll-observed-unsquared",
        "observed enters the NLL unsquared (an amplitude where an intensity is meant)",
        replaced(lambda xp, a: _training(xp, a, nll=_nll(xp, counted(xp, a.predicted, a), xp.sqrt(a.observed)))),
    ),
    Fault(
        "losses.training_loss",
        "nll-per-group",
        "the factor 1/CHW of the NLL is missing",
        giving(lambda xp, a: {"nll_weight": a.nll_weight * xp.size(a.predicted, GROUP)}),
    ),
    Fault(
        "losses.training_loss",
        "nll-summed",
        "the NLL is summed over groups",
        giving(lambda xp, a: {"nll_weight": a.nll_weight * xp.size(a.predicted, 0)}),
        shows=_SEVERAL,
    ),
    Fault(
        "losses.training_loss",
        "mae-of-intensities",
        "the MAE is of intensities",
        replaced(lambda xp, a: _training(xp, a, mae=_mae(xp, xp.square(a.predicted), xp.square(a.observed)))),
    ),
    Fault(
        "losses.training_loss",
        "mae-of-intensity-and-amplitude",
        "the MAE compares an intensity with an amplitude",
        replaced(lambda xp, a: _training(xp, a, mae=_mae(xp, xp.square(a.predicted), a.observed))),
    ),
    Fault(
        "losses.training_loss",
        "mae-summed",
        "the MAE is summed, not averaged",
        giving(lambda xp, a: {"mae_weight": a.mae_weight * xp.size(a.predicted, (0, *GROUP))}),
    ),
    Fault(
        "losses.training_loss",
        "zero-times-infinity",
        "an NLL of weight 0 counts where it is infinite",
        replaced(lambda xp, a: _training(xp, a, nll=_nll(xp, a.predicted, a.observed))),
        shows="a prediction without light, nll_weight 0",
        diagnosis=("returns NaN",),
    ),
    Fault(
        "losses.training_loss",
        "weights-exchanged",
        "nll_weight and mae_weight are exchanged",
        exchanged("nll_weight", "mae_weight"),
    ),
    Fault(
        "losses.training_loss",
        "realspace-weight-forgotten",
        "realspace_weight is forgotten (1 in its place)",
        given(realspace_weight=lambda xp, weight: xp.ones_like(weight)),
    ),
    Fault(
        "losses.training_loss",
        "realspace-weight-doubled",
        "realspace_weight enters times a constant factor",
        given(realspace_weight=lambda xp, weight: 2 * weight),
    ),
    Fault(
        "losses.training_loss",
        "patches-and-target-exchanged",
        "the total variation is the target's",
        exchanged("patches", "target"),
        diagnosis=(),
    ),
    Fault(
        "losses.training_loss",
        "nll-detached",
        "the NLL is detached",
        replaced(lambda xp, a: _training(xp, a, nll=xp.detach(_nll(xp, counted(xp, a.predicted, a), a.observed)))),
        diagnosis=(),
    ),
    Fault(
        "losses.training_loss",
        "weights-exchanged-twice",
        "nll_weight and mae_weight, tv_weight and realspace_mae_weight are exchanged",
        then(exchanged("nll_weight", "mae_weight"), exchanged("tv_weight", "realspace_mae_weight")),
        diagnosis=(),
    ),
)
"""Of what training minimises."""

FAULTS = (*VARIATION, *ERROR, *REALSPACE, *TRAINING)
