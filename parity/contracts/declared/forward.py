"""Contracts of `forward`: the compositions, from object patches to the detector and to the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.contracts.cases.strata import (
    BATCHES,
    FRAMES,
    MERGED,
    SHAPES,
    SHIFTS,
    UNCONSTRAINED,
    UNMERGED,
    WRAPPED,
    Stratum,
)
from parity.contracts.contract import Argument, Contract, Fact, Inputs, Law, Quota, Result, Stage, Trial
from parity.contracts.declared.batch import batch_facts
from parity.contracts.declared.networks import parameters_of
from parity.physics.kinds import AMPLITUDE, CHOICE, OBJECT, POSITIONS, PROBE, SCALAR, SIZE
from parity.physics.oracle.operations import exp

_MODEL = (
    Argument("patches", OBJECT, True),
    Argument("positions", POSITIONS, True),
    Argument("probe", PROBE, True),
    Argument("log_scale", SCALAR, True),
)
_MERGE = (Argument("rows", SIZE), Argument("columns", SIZE), Argument("weighting", CHOICE))
_WEIGHTS = tuple(
    Argument(name, SCALAR)
    for name in ("nll_weight", "mae_weight", "realspace_weight", "tv_weight", "realspace_mae_weight")
)
_LARGEST = 64
"""Pixels a side: the stages have been tried on larger frames."""

_STRATA = tuple(
    replace(
        stratum,
        shapes=tuple(shape for shape in stratum.shapes if max(shape) <= _LARGEST),
        weightings=("central",),
    )
    for stratum in (*SHAPES, *SHIFTS, *WRAPPED)
)

_COUNTED = tuple(replace(stratum, log10_photons=(0.0, 4.0)) for stratum in _STRATA)
"""Brighter, photons are counted in corners that a prediction in single precision cannot tell from dark ones."""

_WEIGHT_OF = {
    "central": "patches.central_weight",
    "uniform": "patches.uniform_weight",
    "probe": "patches.probe_weight",
}


def _prediction(inputs: Inputs) -> tuple[Stage, ...]:
    """The stages from patches to the predicted amplitude."""
    weighting = inputs["weighting"].item()
    if weighting == UNMERGED:
        merging: tuple[Stage, ...] = ()
    else:
        rows, columns = inputs["patches"].shape[-2:]
        merging = (
            Stage(_WEIGHT_OF[weighting], "weight"),
            Stage("patches.reassemble_patches", "canvas"),
            Stage("patches.extract_patches", "views", sizes={"rows": rows, "columns": columns}),
        )
    return (
        *merging,
        Stage("optics.illuminate", "exit_waves", {"patches": "views" if merging else "patches"}),
        Stage("optics.far_field_amplitude", "amplitude"),
        Stage("scaling.apply_intensity_scale", "predicted"),
    )


def _objective(inputs: Inputs) -> tuple[Stage, ...]:
    return (Stage("forward.predict_amplitude", "predicted"), Stage("losses.training_loss", "loss"))


def _scale_multiplies(trial: Trial) -> Law:
    unscaled = trial.value(log_scale=np.array(0.0))
    return Law(trial.value(), unscaled * exp(trial.exact(trial.inputs["log_scale"])))


def reconstruction(size: int, cost: int = 1, strata: tuple[Stratum, ...] = ()) -> Contract:
    """The contract of what a network is trained on, for frames of `size` pixels a side, whatever its filters."""

    def stages(inputs: Inputs) -> tuple[Stage, ...]:
        return (Stage(f"networks.autoencode@{size}", "patches"), Stage("forward.training_objective", "loss"))

    return Contract(
        name=f"forward.reconstruction_loss@{size}",
        equation="training_objective(autoencode(images), r, p, w, A, T)",
        arguments=(
            Argument("images", AMPLITUDE, source="noiseless_images"),
            Argument("positions", POSITIONS),
            Argument("probe", PROBE, True),
            Argument("log_scale", SCALAR, True, source="fitted_log_scale"),
            Argument("observed", AMPLITUDE),
            Argument("target", OBJECT),
            *_WEIGHTS,
            *_MERGE,
            *parameters_of(size),
        ),
        results=(Result("loss", SCALAR),),
        strata=strata,
        # A photon counted on a pixel whose prediction is lost in rounding leaves all open.
        quota=Quota(undecided=0.1, any_precision=True),
        stages=stages,
        cost=cost,
        divisor=max(4, size // 8),
        eager=True,
    )


CONTRACTS = (
    Contract(
        name="forward.predict_amplitude",
        equation="Â = e^w·√(fftshift(Σ_p |DFT₂ p_p·extract(reassemble(O, r), r)|² / HW))",
        arguments=(*_MODEL, *_MERGE),
        results=(Result("predicted", AMPLITUDE, relative=True),),
        strata=(*_STRATA, *MERGED[1:], *UNCONSTRAINED, *(replace(batch, weightings=("central",)) for batch in BATCHES)),
        cost=4,
        facts=(
            Fact("Â(w) = e^w·Â(0)", _scale_multiplies),
            *batch_facts("patches", "positions"),
        ),
        quota=Quota(any_precision=True),
        stages=_prediction,
    ),
    Contract(
        name="forward.training_objective",
        equation="training_loss(predict_amplitude(O, r, p, w), A, O, T)",
        arguments=(
            *_MODEL[:3],
            Argument("log_scale", SCALAR, True, source="fitted_log_scale"),
            Argument("observed", AMPLITUDE, True),
            Argument("target", OBJECT, True),
            *_WEIGHTS,
            *_MERGE,
        ),
        results=(Result("loss", SCALAR),),
        strata=_COUNTED,
        quota=Quota(any_precision=True),
        stages=_objective,
        cost=4,
    ),
    reconstruction(
        32,
        cost=5,
        strata=tuple(
            replace(stratum, log10_photons=(0.0, 2.0), weightings=stratum.weightings[:1]) for stratum in FRAMES[32]
        ),
    ),
)
