"""Faults of the losses on the object, and of what training minimises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from parity.contracts.changes import Arguments, Change, given, giving, raw, replaced, returning, then
from parity.contracts.fault import Fault
from parity.contracts.namespace import GROUP, Namespace, Tensor
from parity.faults.catalogue.common import modulus, rounded
from parity.faults.catalogue.losses import WITHOUT_LOG_GAMMA, in_the_logarithm
from parity.faults.catalogue.wiring import exchanged, own, some
from parity.faults.generated import Generated

_SEVERAL = "several groups"
_WRAPPED = "phases that differ by more than π"


def _steps(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of neighbouring rows, and of neighbouring columns."""
    return patches[:, :, 1:] - patches[:, :, :-1], patches[..., 1:] - patches[..., :-1]


def _energy(xp: Namespace, x: Tensor) -> Tensor:
    return xp.square(xp.real(x)) + xp.square(xp.imag(x))


def _of_steps(rows: int, columns: int) -> Change:
    """The total variation with the differences along each axis counted so many times."""

    def variation(xp: Namespace, a: Arguments) -> Tensor:
        down, across = (xp.sum(_energy(xp, step), GROUP) for step in _steps(a.patches))
        return rows * down + columns * across

    return replaced(variation)


def _around_the_frame(xp: Namespace, a: Arguments) -> Tensor:
    return xp.sum(sum(_energy(xp, a.patches - xp.roll(a.patches, 1, axis)) for axis in (-1, -2)), GROUP)


def _isotropic(xp: Namespace, a: Arguments) -> Tensor:
    down, across = (_energy(xp, step) for step in _steps(a.patches))
    return xp.sum(xp.sqrt(down[..., :-1] + across[:, :, :-1] + 1e-12), GROUP)


def _second_neighbours(xp: Namespace, a: Arguments) -> Tensor:
    x = a.patches
    steps = x[:, :, 2:] - x[:, :, :-2], x[..., 2:] - x[..., :-2]
    return sum(xp.sum(_energy(xp, step), GROUP) for step in steps)


def _phase_factor(xp: Namespace, x: Tensor) -> Tensor:
    return xp.complex(xp.cos(xp.angle(x)), xp.sin(xp.angle(x)))


def _modulus_error(xp: Namespace, a: Arguments) -> Tensor:
    return xp.mean(xp.abs(xp.abs(a.patches) - xp.abs(a.target)))


def _angle_alone(xp: Namespace) -> Callable[[Tensor], Tensor]:
    return lambda field: xp.angle(xp.where(field == 0, xp.ones_like(field), field))


def _turn(xp: Namespace, a: Arguments) -> Tensor:
    return xp.angle(a.patches) - xp.angle(a.target)


def _wrapped(xp: Namespace, angle: Tensor) -> Tensor:
    return angle - 2 * math.pi * xp.round(angle / (2 * math.pi))


def _one_sided(xp: Namespace, angle: Tensor) -> Tensor:
    return angle - 2 * math.pi * xp.floor(angle / (2 * math.pi))


def _phase_error(xp: Namespace, a: Arguments) -> Tensor:
    return xp.mean(xp.abs(_wrapped(xp, _turn(xp, a))))


def _weighted_by_modulus(xp: Namespace, a: Arguments) -> Tensor:
    return _modulus_error(xp, a) + xp.mean(xp.abs(_wrapped(xp, _turn(xp, a))) * xp.abs(a.target))


def _by_half_turns(xp: Namespace, wrap: Any) -> Any:
    return lambda angle: angle - math.pi * xp.round(angle / math.pi)


def _unweighted(*bare: str) -> Change:
    """The real-space loss without the central weight on some of what it belongs on."""

    def loss(xp: Namespace, a: Arguments) -> Tensor:
        weight = _central_weight(xp, a)
        varied, patches, target = (
            x if name in bare else xp.scaled(x, weight)
            for name, x in (("variation", a.patches), ("patches", a.patches), ("target", a.target))
        )
        variation = own(xp, "losses.total_variation")(patches=varied)
        error = own(xp, "losses.complex_mae")(patches=patches, target=target)
        return a.tv_weight * xp.mean(variation) + a.realspace_mae_weight * error

    return replaced(loss)


def _central_weight(xp: Namespace, a: Arguments) -> Tensor:
    return own(xp, "patches.central_weight")(patches=a.patches)


def _counted_with_weight_0(xp: Namespace, a: Arguments) -> Tensor:
    """What training minimises, the likelihood of the prediction whether it has a weight or not."""
    likelihood = own(xp, "losses.poisson_nll")(**some(a, "predicted", "observed"), full=True)
    error = own(xp, "losses.mae")(**some(a, "predicted", "observed"))
    names = ("patches", "target", "tv_weight", "realspace_mae_weight")
    realspace = own(xp, "losses.realspace_loss")(**some(a, *names))
    return (
        a.nll_weight * xp.mean(likelihood) / xp.size(a.predicted, GROUP)
        + a.mae_weight * error
        + a.realspace_weight * realspace
    )


def _square(xp: Namespace, x: Tensor) -> Tensor:
    return xp.square(x)


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
        "columns-alone",
        "only neighbouring columns are compared",
        _of_steps(rows=0, columns=1),
    ),
    Fault("losses.total_variation", "rows-alone", "only neighbouring rows are compared", _of_steps(rows=1, columns=0)),
    Fault(
        "losses.total_variation",
        "rows-twice",
        "neighbouring rows are compared twice, columns not at all",
        _of_steps(rows=2, columns=0),
    ),
    Fault(
        "losses.total_variation",
        "columns-twice",
        "neighbouring columns are compared twice, rows not at all",
        _of_steps(rows=0, columns=2),
    ),
    Fault("losses.total_variation", "modulus-alone", "the phase of the patches is left out", given(patches=modulus)),
    Fault(
        "losses.total_variation", "phase-alone", "the modulus of the patches is left out", given(patches=_phase_factor)
    ),
    Fault(
        "losses.total_variation",
        "groups-summed",
        "the groups are summed",
        returning(lambda xp, r, a: xp.broadcast_like(xp.sum(r, 0, True), r)),
        shows=_SEVERAL,
    ),
    Generated("losses.total_variation", "patches-imaginary-part-detached", called="imaginary-part-detached"),
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
        replaced(lambda xp, a: _modulus_error(xp, a) + xp.mean(xp.abs(_turn(xp, a)))),
        shows=_WRAPPED,
    ),
    Fault(
        "losses.complex_mae",
        "wrapped-one-sided",
        "the phase difference is wrapped into [0, 2π)",
        replaced(lambda xp, a: _modulus_error(xp, a) + xp.mean(_one_sided(xp, _turn(xp, a)))),
    ),
    Fault("losses.complex_mae", "modulus-of-target", "|T| stands for T", given(target=modulus)),
    Fault(
        "losses.complex_mae",
        "modulus-of-difference",
        "the modulus of O − T is averaged",
        replaced(lambda xp, a: xp.mean(xp.abs(a.patches - a.target))),
    ),
    Fault("losses.complex_mae", "modulus-alone", "the error of the phase is left out", replaced(_modulus_error)),
    Fault("losses.complex_mae", "phase-alone", "the error of the modulus is left out", replaced(_phase_error)),
    Fault(
        "losses.complex_mae",
        "summed",
        "a sum stands for the mean",
        returning(lambda xp, error, a: error * xp.size(a.patches)),
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
        "phase-weighted",
        "the error of the phase is weighted by the modulus of T",
        replaced(_weighted_by_modulus),
        diagnosis=(),
    ),
    Generated("losses.complex_mae", "target-detached"),
    Fault(
        "losses.complex_mae",
        "patches-in-complex64",
        "patches are rounded to complex64",
        given(patches=rounded("float32")),
        shows="a float64 run",
        diagnosis=("an intermediate is float32",),
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
        _unweighted("variation", "patches", "target"),
    ),
    Fault("losses.realspace_loss", "target-unweighted", "the target is not weighted", _unweighted("target")),
    Fault(
        "losses.realspace_loss",
        "variation-unweighted",
        "the total variation is not weighted",
        _unweighted("variation"),
    ),
    Fault(
        "losses.realspace_loss",
        "mean-within",
        "the mean is over the central pixels alone",
        giving(lambda xp, a: {"realspace_mae_weight": a.realspace_mae_weight / xp.mean(_central_weight(xp, a))}),
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
    Fault(
        "losses.realspace_loss",
        "weight-a-pixel-off",
        "the central weight is a pixel off",
        returning(lambda xp, weight, a: xp.roll(weight, 1, -1)),
        at="losses.central_weight",
        diagnosis=(),
    ),
)
"""Of the loss on the object."""

TERMS = (
    Fault(
        "losses.training_loss",
        "nll-observed-unsquared",
        "observed enters the NLL unsquared (an amplitude where an intensity is meant)",
        given(observed=lambda xp, x: xp.sqrt(x)),
        at="losses.poisson_nll",
    ),
    Fault(
        "losses.training_loss",
        "nll-never-full",
        "the term of the NLL in k alone is left out",
        giving(lambda xp, a: {"full": False}),
        at="losses.poisson_nll",
    ),
    Fault(
        "losses.training_loss",
        "nll-without-log-gamma",
        "ln Γ(k+1) is left out of the NLL",
        WITHOUT_LOG_GAMMA,
        at="losses.poisson_nll",
    ),
    Fault(
        "losses.training_loss",
        "nll-epsilon-in-log",
        "ε = 1e-3 in the logarithm of the NLL",
        in_the_logarithm(1e-3),
        at="losses.poisson_nll",
        shows="dark pixels",
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
        given(predicted=_square, observed=_square),
        at="losses.mae",
    ),
    Fault(
        "losses.training_loss",
        "mae-of-intensity-and-amplitude",
        "the MAE compares an intensity with an amplitude",
        given(predicted=_square),
        at="losses.mae",
    ),
    Fault(
        "losses.training_loss",
        "mae-summed",
        "the MAE is summed, not averaged",
        giving(lambda xp, a: {"mae_weight": a.mae_weight * xp.size(a.predicted)}),
    ),
    Fault(
        "losses.training_loss",
        "weights-exchanged",
        "nll_weight and mae_weight are exchanged",
        exchanged("nll_weight", "mae_weight"),
    ),
    Fault(
        "losses.training_loss",
        "object-weights-exchanged",
        "tv_weight and realspace_mae_weight are exchanged",
        exchanged("tv_weight", "realspace_mae_weight"),
    ),
)
"""Of the terms of what training minimises, and of their weights."""

TRAINING: tuple[Fault | Generated, ...] = (
    *TERMS,
    Generated("losses.training_loss", "realspace-weight-as-1", called="realspace-weight-forgotten"),
    Fault(
        "losses.training_loss",
        "realspace-weight-doubled",
        "realspace_weight enters twice",
        given(realspace_weight=lambda xp, weight: 2 * weight),
        diagnosis=("realspace_weight enters times a constant factor",),
    ),
    Fault(
        "losses.training_loss",
        "zero-times-infinity",
        "an NLL of weight 0 counts where it is infinite",
        replaced(_counted_with_weight_0),
        shows="a prediction without light, nll_weight 0",
        diagnosis=("returns NaN",),
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
        returning(lambda xp, nll, a: xp.detach(nll)),
        at="losses.poisson_nll",
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
