"""Contracts of `scaling`: photon bookkeeping and the two scalings of an amplitude."""

from __future__ import annotations

import numpy as np

from parity.contracts.cases.families import exposures
from parity.contracts.cases.families.exposures import EXPOSURES, READINGS, SHAPES
from parity.contracts.contract import Argument, Contract, Fact, Law, Result, Trial
from parity.physics.kinds import AMPLITUDE, PER_PATTERN, PHOTONS, READING, SCALAR
from parity.physics.oracle.operations import mean, square, total

_DETECTED = Argument("amplitude", READING, exposures.detected, differentiable=True)
_AMPLITUDE = Argument("amplitude", AMPLITUDE, exposures.observed, differentiable=True)
_LOG_SCALE = Argument("log_scale", SCALAR, exposures.log_scale, differentiable=True)
_STRATA = (*SHAPES, *EXPOSURES[1:])
"""Without the dark: a photon count knows nothing of single pixels."""


def _twice_the_amplitude(trial: Trial) -> Law:
    return Law(trial.value(amplitude=2.0 * trial.inputs["amplitude"]), 4 * trial.value())


def _dose_is_reached(trial: Trial) -> Law:
    photons = total(square(trial.value() * trial.exact(trial.inputs["amplitude"])), axis=(-2, -1))
    return Law(mean(photons), trial.exact(trial.inputs["nphotons"]))


def _scale_is_forgotten(trial: Trial) -> Law:
    return Law(trial.value(amplitude=4.0 * trial.inputs["amplitude"]), trial.value())


def _mean_square_is_a_quarter(trial: Trial) -> Law:
    return Law(mean(square(trial.value())), trial.exact(np.array(0.25)))


def _no_scale(trial: Trial) -> Law:
    return Law(trial.value(log_scale=np.array(0.0)), trial.exact(trial.inputs["amplitude"]))


CONTRACTS = (
    Contract(
        name="scaling.count_photons",
        equation="Σ_{h,w} a²",
        textbook=lambda mp, amplitude: np.sum(amplitude**2, axis=(2, 3)),
        arguments=(_DETECTED,),
        results=(Result("photons", PER_PATTERN, reduced="sum HW"),),
        strata=(*_STRATA, *READINGS),
        facts=(
            Fact("twice the amplitude, four times the photons", _twice_the_amplitude, broken_by="amplitude-unsquared"),
        ),
    ),
    Contract(
        name="scaling.scale_nphotons",
        equation="s = √(nphotons / mean Σ_{h,w} a²)",
        textbook=lambda mp, amplitude, nphotons: mp.sqrt(nphotons / np.mean(np.sum(amplitude**2, axis=(2, 3)))),
        arguments=(_DETECTED, Argument("nphotons", PHOTONS, exposures.nphotons)),
        results=(Result("scale", SCALAR),),
        strata=(*_STRATA, *READINGS),
        facts=(Fact("the mean pattern of s·a has nphotons photons", _dose_is_reached, broken_by="root-missing"),),
    ),
    Contract(
        name="scaling.normalize_amplitude",
        equation="X·√((HW/4) / mean Σ_{h,w} X²)",
        arguments=(_DETECTED,),
        results=(Result("normalized", AMPLITUDE),),
        strata=(*_STRATA, *READINGS),
        facts=(
            Fact("the scale of X is forgotten", _scale_is_forgotten, broken_by="root-missing"),
            Fact("the mean square is 1/4", _mean_square_is_a_quarter, broken_by="gain-1e-3"),
        ),
    ),
    Contract(
        name="scaling.apply_intensity_scale",
        equation="a·e^w",
        textbook=lambda mp, amplitude, log_scale: amplitude * mp.exp(log_scale),
        arguments=(_AMPLITUDE, _LOG_SCALE),
        results=(Result("scaled", AMPLITUDE),),
        strata=_STRATA,
        facts=(Fact("w = 0 changes nothing", _no_scale, broken_by="log-scale-as-1"),),
    ),
    Contract(
        name="scaling.remove_intensity_scale",
        equation="a / e^w",
        textbook=lambda mp, amplitude, log_scale: amplitude / mp.exp(log_scale),
        arguments=(_AMPLITUDE, _LOG_SCALE),
        results=(Result("unscaled", AMPLITUDE),),
        strata=_STRATA,
        facts=(Fact("w = 0 changes nothing", _no_scale, broken_by="log-scale-as-1"),),
    ),
)
