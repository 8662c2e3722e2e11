"""Contracts of `forward`: the compositions, from object patches to the detector and to the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.contracts.cases.families import canvases, exposures, losses
from parity.contracts.cases.families.canvases import (
    BATCHES,
    MERGED,
    SHAPES,
    SHIFTS,
    UNCONSTRAINED,
    UNMERGED,
    WEIGHTINGS,
    WRAPPED,
    CanvasStratum,
)
from parity.contracts.cases.families.family import in_family
from parity.contracts.cases.families.networks import FRAMES, noiseless_images
from parity.contracts.cases.families.probes import probe
from parity.contracts.contract import Argument, Contract, Fact, Inputs, Law, Quota, Result, Stage, Trial
from parity.contracts.declared.batch import batch_facts
from parity.contracts.declared.networks import parameters_of
from parity.physics.kinds import AMPLITUDE, CHOICE, OBJECT, POSITIONS, PROBE, SCALAR, SIZE
from parity.physics.oracle.operations import exp

_PATCHES = Argument("patches", OBJECT, exposures.patches, differentiable=True)
_POSITIONS = Argument("positions", POSITIONS, canvases.positions, differentiable=True)
_PROBE = Argument("probe", PROBE, probe, differentiable=True)
_FITTED = Argument("log_scale", SCALAR, exposures.fitted_log_scale, differentiable=True)
_OBSERVED = Argument("observed", AMPLITUDE, exposures.observed, differentiable=True)
_TARGET = Argument("target", OBJECT, exposures.target, differentiable=True)
_MERGE = (
    Argument("rows", SIZE, canvases.rows),
    Argument("columns", SIZE, canvases.columns),
    Argument("weighting", CHOICE, canvases.weighting),
)
_WEIGHTS = (
    Argument("nll_weight", SCALAR, losses.some_nll_weight),
    Argument("mae_weight", SCALAR, losses.mae_weight),
    Argument("realspace_weight", SCALAR, losses.realspace_weight),
    Argument("tv_weight", SCALAR, losses.tv_weight),
    Argument("realspace_mae_weight", SCALAR, losses.realspace_mae_weight),
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


def reconstruction(size: int, cost: int = 1, strata: tuple[CanvasStratum, ...] = ()) -> Contract:
    """The contract of what a network is trained on, for frames of `size` pixels a side, whatever its filters."""

    def stages(inputs: Inputs) -> tuple[Stage, ...]:
        return (Stage(f"networks.autoencode@{size}", "patches"), Stage("forward.training_objective", "loss"))

    return Contract(
        name=f"forward.reconstruction_loss@{size}",
        equation="training_objective(autoencode(images), r, p, w, A, T)",
        arguments=(
            Argument("images", AMPLITUDE, noiseless_images),
            replace(_POSITIONS, differentiable=False),
            _PROBE,
            _FITTED,
            replace(_OBSERVED, differentiable=False),
            replace(_TARGET, differentiable=False),
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
        arguments=(
            _PATCHES,
            _POSITIONS,
            _PROBE,
            Argument("log_scale", SCALAR, exposures.log_scale, differentiable=True),
            *_MERGE,
        ),
        results=(Result("predicted", AMPLITUDE, relative=True),),
        strata=(*_STRATA, *MERGED[1:], *UNCONSTRAINED, *(replace(batch, weightings=("central",)) for batch in BATCHES)),
        cost=4,
        facts=(
            Fact("Â(w) = e^w·Â(0)", _scale_multiplies, broken_by="log-scale-as-0"),
            *batch_facts("patches", "positions"),
        ),
        quota=Quota(any_precision=True),
        stages=_prediction,
    ),
    Contract(
        name="forward.training_objective",
        equation="training_loss(predict_amplitude(O, r, p, w), A, O, T)",
        arguments=(
            _PATCHES,
            _POSITIONS,
            _PROBE,
            _FITTED,
            _OBSERVED,
            _TARGET,
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
            replace(stratum, log10_photons=(0.0, 2.0), weightings=WEIGHTINGS[:1])
            for stratum in in_family(CanvasStratum, FRAMES[32])
        ),
    ),
)
