"""Contracts of `losses`: what a prediction costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.contracts.cases.families import exposures, losses
from parity.contracts.cases.families.losses import (
    APART,
    BARE,
    DIM,
    EQUAL,
    EXPOSURES,
    EXTINCT,
    SHAPES,
    UNWEIGHTED,
    WRAPPED,
)
from parity.contracts.contract import Argument, Contract, Entry, Fact, Inputs, Law, Result, Trial
from parity.physics.kinds import AMPLITUDE, FLAG, OBJECT, PER_GROUP, SCALAR

_PREDICTED = Argument("predicted", AMPLITUDE, exposures.predicted, differentiable=True)
_OBSERVED = Argument("observed", AMPLITUDE, exposures.observed, differentiable=True)
_PATCHES = Argument("patches", OBJECT, exposures.patches, differentiable=True)
_TARGET = Argument("target", OBJECT, exposures.target, differentiable=True)
_REALSPACE_WEIGHTS = (
    Argument("tv_weight", SCALAR, losses.tv_weight),
    Argument("realspace_mae_weight", SCALAR, losses.realspace_mae_weight),
)
_WEIGHTS = (
    Argument("nll_weight", SCALAR, losses.nll_weight),
    Argument("mae_weight", SCALAR, losses.mae_weight),
    Argument("realspace_weight", SCALAR, losses.realspace_weight),
    *_REALSPACE_WEIGHTS,
)


def _least_at_the_observation(trial: Trial) -> Law:
    return Law(trial.value(), trial.value(predicted=trial.inputs["observed"]), at_least=True)


def _stationary_at_the_observation(trial: Trial) -> Law:
    slope = trial.gradient("predicted", predicted=trial.inputs["observed"])
    return Law(slope, trial.exact(np.zeros(slope.shape)))


def _homogeneous(trial: Trial) -> Law:
    doubled = {name: 2.0 * trial.inputs[name] for name in ("predicted", "observed")}
    return Law(trial.value(**doubled), 2 * trial.value())


def _zero_at_the_observation(trial: Trial) -> Law:
    value = trial.value(predicted=trial.inputs["observed"])
    return Law(value, trial.exact(np.zeros(value.shape)))


def _blind_to_a_constant(trial: Trial) -> Law:
    flat = np.ones_like(trial.inputs["patches"])
    value = trial.value(patches=flat)
    return Law(value, trial.exact(np.zeros(value.shape)))


def _zero_at_the_target(trial: Trial) -> Law:
    value = trial.value(patches=trial.inputs["target"])
    return Law(value, trial.exact(np.zeros(value.shape)))


def _poisson_layer(layer: Any, predicted: Any, observed: Any, full: bool) -> Any:
    return layer(predicted)(observed)


def _poisson_loss(loss: Any, predicted: Any, observed: Any, full: bool) -> Any:
    return loss()(predicted, observed)


def _absolute_loss(loss: Any, predicted: Any, observed: Any) -> Any:
    return loss()(predicted, observed)


def _is_full(inputs: Inputs) -> bool:
    return bool(inputs["full"])


CONTRACTS = (
    Contract(
        name="losses.poisson_nll",
        equation="Σ λ − k·ln λ + ln Γ(k+1), λ = Â², k = A²; without its term in k alone if not full",
        arguments=(_PREDICTED, _OBSERVED, Argument("full", FLAG, losses.full)),
        results=(Result("nll", PER_GROUP, reduced="sum CHW"),),
        strata=(*SHAPES, *EXPOSURES, *EQUAL, *APART, *EXTINCT, *BARE),
        facts=(
            Fact("least at Â = A", _least_at_the_observation, broken_by="observed-unsquared"),
            Fact("∂NLL/∂Â = 0 at Â = A", _stationary_at_the_observation, broken_by="observed-unsquared"),
        ),
        entries=(
            Entry("torch", "model.PoissonIntensityLayer", _poisson_layer, _is_full),
            Entry("torch", "model.PoissonLoss", _poisson_loss, _is_full),
        ),
    ),
    Contract(
        name="losses.absolute_error",
        equation="|Â − A|",
        textbook=lambda mp, predicted, observed: abs(predicted - observed),
        arguments=(_PREDICTED, _OBSERVED),
        results=(Result("error", AMPLITUDE),),
        strata=(*SHAPES, *EXPOSURES, *EQUAL, *APART),
        facts=(
            Fact("|2Â − 2A| = 2·|Â − A|", _homogeneous, broken_by="both-squared"),
            Fact("|A − A| = 0", _zero_at_the_observation, broken_by="observed-squared"),
        ),
        entries=(Entry("torch", "model.MAELoss", _absolute_loss),),
    ),
    Contract(
        name="losses.mae",
        equation="mean |Â − A|",
        textbook=lambda mp, predicted, observed: np.mean(abs(predicted - observed)),
        arguments=(_PREDICTED, _OBSERVED),
        results=(Result("mae", SCALAR, reduced="mean BCHW"),),
        strata=(*SHAPES, *EXPOSURES, *EQUAL, *APART),
        facts=(
            Fact("mae(2Â, 2A) = 2·mae(Â, A)", _homogeneous, broken_by="both-squared"),
            Fact("mae(A, A) = 0", _zero_at_the_observation, broken_by="observed-squared"),
        ),
    ),
    Contract(
        name="losses.total_variation",
        equation="Σ |O_{i+1} − O_i|² over neighbouring rows and columns",
        arguments=(_PATCHES,),
        results=(Result("variation", PER_GROUP, reduced="sum CHW"),),
        strata=(*SHAPES, *WRAPPED),
        facts=(Fact("0 for a constant object", _blind_to_a_constant, broken_by="result-plus-1e-3"),),
    ),
    Contract(
        name="losses.complex_mae",
        equation="mean ||O| − |T|| + mean |wrap(arg O − arg T)|",
        arguments=(_PATCHES, _TARGET),
        results=(Result("error", SCALAR, reduced="mean BCHW"),),
        strata=(*SHAPES, *APART, *WRAPPED, *DIM),
        facts=(Fact("0 at O = T", _zero_at_the_target, broken_by="target-conjugated"),),
    ),
    Contract(
        name="losses.realspace_loss",
        equation="tv_weight·mean TV(mO) + realspace_mae_weight·complex_mae(mO, mT), m the central weight",
        arguments=(_PATCHES, _TARGET, *_REALSPACE_WEIGHTS),
        results=(Result("loss", SCALAR),),
        strata=(*SHAPES, *APART, *WRAPPED),
    ),
    Contract(
        name="losses.training_loss",
        equation="nll_weight·mean NLL / CHW + mae_weight·MAE + realspace_weight·realspace_loss; 0·∞ is 0",
        arguments=(_PREDICTED, _OBSERVED, _PATCHES, _TARGET, *_WEIGHTS),
        results=(Result("loss", SCALAR),),
        strata=(*SHAPES, *EXPOSURES, *EQUAL, *APART, *UNWEIGHTED, *WRAPPED),
    ),
)
