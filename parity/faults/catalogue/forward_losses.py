"""Defects of what is trained on: a prediction and its losses, wrongly put together."""

from __future__ import annotations

from parity.faults.base import Fault
from parity.faults.catalogue.wiring import exchanged, merged, own, some
from parity.faults.changes import Arguments, given, giving, replaced
from parity.faults.namespace import Namespace, Tensor

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


OBJECTIVE = (
    Fault(
        "forward.training_objective",
        "prediction-squared-twice",
        "predicted enters the losses squared (an intensity where an amplitude is meant)",
        replaced(_squared_twice),
        diagnosis=(),
    ),
    Fault(
        "forward.training_objective",
        "observed-unsquared",
        "observed enters unsquared (an amplitude where an intensity is meant)",
        given(observed=lambda xp, x: xp.sqrt(x)),
    ),
    Fault(
        "forward.training_objective",
        "weights-exchanged",
        "nll_weight and mae_weight are exchanged",
        exchanged("nll_weight", "mae_weight"),
    ),
    Fault(
        "forward.training_objective",
        "object-weights-exchanged",
        "tv_weight and realspace_mae_weight are exchanged",
        exchanged("tv_weight", "realspace_mae_weight"),
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
    Fault(
        "forward.training_objective",
        "scale-not-a-parameter",
        "log_scale is detached",
        given(log_scale=lambda xp, w: xp.detach(w)),
        shows="a trainable scale",
    ),
    Fault(
        "forward.training_objective",
        "target-conjugated",
        "conjugate of target",
        given(target=lambda xp, target: xp.conj(target)),
    ),
)
"""Of the objective, from the patches."""

RECONSTRUCTION = (
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
    Fault(
        "forward.reconstruction_loss@32",
        "scale-divides",
        "the scale divides where it must multiply",
        given(log_scale=lambda xp, w: -w),
        shows=_SCALED,
    ),
    Fault(
        "forward.reconstruction_loss@32",
        "images-squared",
        "images enter squared (an intensity where an amplitude is meant)",
        given(images=lambda xp, x: xp.square(x)),
    ),
)
"""Of the loss of a reconstruction, from the exposures."""

FAULTS = (*OBJECTIVE, *RECONSTRUCTION)
