"""Defects of what is trained on: a prediction and its losses, wrongly put together."""

from __future__ import annotations

from parity.contracts.changes import Arguments, giving, replaced
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults.catalogue.forward import INGREDIENTS, UNNORMALISED, UNSHIFTED
from parity.faults.catalogue.losses_object import TERMS
from parity.faults.catalogue.networks import PARAMETERS
from parity.faults.catalogue.wiring import merged, own, some, within
from parity.faults.generated import Generated

_SCALED = "a scale other than 1"
_MODEL = ("patches", "positions", "probe", "log_scale", "rows", "columns", "weighting")
_WEIGHTS = ("nll_weight", "mae_weight", "realspace_weight", "tv_weight", "realspace_mae_weight")


def _predicted(xp: Namespace, a: Arguments) -> Tensor:
    return own(xp, "forward.predict_amplitude")(**some(a, *_MODEL))


def _trained(xp: Namespace, a: Arguments, predicted: Tensor | None = None, patches: Tensor | None = None) -> Tensor:
    """What training minimises, with another prediction or of other patches."""
    arguments = some(a, "observed", "patches", "target", *_WEIGHTS)
    arguments |= {"predicted": _predicted(xp, a) if predicted is None else predicted}
    return own(xp, "losses.training_loss")(**arguments | ({} if patches is None else {"patches": patches}))


def _squared_twice(xp: Namespace, a: Arguments) -> Tensor:
    return _trained(xp, a, predicted=xp.square(_predicted(xp, a)))


def _of_losses(target: str) -> tuple[Fault, ...]:
    """What may be wrong with a prediction, and with what is made of it."""
    at = "forward.predict_amplitude"
    return (
        *within(target, INGREDIENTS),
        Fault(target, "not-normalised", "a factor 1/HW is missing", UNNORMALISED, at=at),
        Fault(target, "not-shifted", "fftshift is missing", UNSHIFTED, at=at),
        *within(target, TERMS),
    )


_HIDDEN = ("merge-unweighted", "modes-coherent", "nll-summed")
"""Faults that a reconstruction's loss hides: its cases have one mode, and in single precision a wide bound."""

OBJECTIVE: tuple[Fault | Generated, ...] = (
    *_of_losses("forward.training_objective"),
    Generated("forward.training_objective", "observed-unsquared"),
    Generated("forward.training_objective", "log-scale-detached", called="scale-not-a-parameter"),
    Generated("forward.training_objective", "target-conjugated"),
    Fault(
        "forward.training_objective",
        "prediction-squared-twice",
        "predicted enters the losses squared (an intensity where an amplitude is meant)",
        replaced(_squared_twice),
        diagnosis=(),
    ),
    Fault(
        "forward.training_objective",
        "weight-of-another-term",
        "realspace_weight stands for mae_weight as well",
        giving(lambda xp, a: {"mae_weight": a.realspace_weight}),
        diagnosis=(),
    ),
    Fault(
        "forward.training_objective",
        "merged-in-real-space",
        "the object's losses are of the merged patches",
        replaced(lambda xp, a: _trained(xp, a, patches=merged(xp, a))),
        diagnosis=(),
    ),
    Fault(
        "forward.training_objective",
        "predicted-detached",
        "the prediction is detached",
        replaced(lambda xp, a: _trained(xp, a, predicted=xp.detach(_predicted(xp, a)))),
        diagnosis=("probe is detached", "log_scale is detached", "positions are detached"),
    ),
    Fault(
        "forward.training_objective",
        "observed-scaled-again",
        "the scale multiplies the observation as well",
        giving(lambda xp, a: {"observed": a.observed * xp.exp(a.log_scale)}),
        shows=_SCALED,
        diagnosis=("observed enters times a constant factor",),
    ),
)
"""Of the objective, from the patches."""

RECONSTRUCTION: tuple[Fault | Generated, ...] = (
    *(fault for fault in _of_losses("forward.reconstruction_loss@32") if fault.name not in _HIDDEN),
    *within("forward.reconstruction_loss@32", PARAMETERS),
    Generated("forward.reconstruction_loss@32", "images-squared"),
    Fault(
        "forward.reconstruction_loss@32",
        "images-in-photons",
        "the network is given exposures on the detector's scale",
        giving(lambda xp, a: {"images": a.images * xp.exp(a.log_scale)}),
        shows=_SCALED,
        diagnosis=("images enters times a constant factor",),
    ),
    Fault(
        "forward.reconstruction_loss@32",
        "images-observed",
        "the losses compare with the normalised exposures",
        giving(lambda xp, a: {"observed": a.images}),
        diagnosis=(),
    ),
)
"""Of the loss of a reconstruction, from the exposures."""

FAULTS = (*OBJECTIVE, *RECONSTRUCTION)
