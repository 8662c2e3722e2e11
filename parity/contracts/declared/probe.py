"""Contracts of `probe`: generation, mask and normalisation."""

from __future__ import annotations

import numpy as np

from parity.contracts.cases.families import probes
from parity.contracts.cases.families.probes import HIGHER, SQUARE_GRIDS, WHOLE
from parity.contracts.contract import Argument, Contract, Fact, Law, Result, Trial
from parity.physics.kinds import ANGLE, LENGTH, MODE_POWERS, PROBE, SCALAR, SINGLE_MODE, SIZE, WEIGHT
from parity.physics.oracle.operations import absolute, absolute_square, conjugate, mean, total
from parity.physics.oracle.probe import mask

_SIZE = Argument("size", SIZE, probes.size)
_PROBE_SCALE = Argument("probe_scale", SCALAR, probes.probe_scale)
_PLANE = (-2, -1)


def _energy_is_shared_out(trial: Trial) -> Law:
    modes = total(absolute_square(trial.value()), axis=_PLANE)
    powers, probe = trial.exact(trial.inputs["powers"]), trial.exact(trial.inputs["probe"])
    return Law(modes, powers / total(powers) * total(absolute_square(probe)))


def _modes_are_orthogonal(trial: Trial) -> Law:
    modes = trial.value()
    products = total(conjugate(modes[:, None]) * modes, axis=_PLANE)
    return Law(products * (1 - np.eye(len(modes.value))), trial.exact(np.zeros(products.shape)))


def _scale_is_forgotten(trial: Trial) -> Law:
    return Law(trial.value(probe=4.0 * trial.inputs["probe"]), trial.value())


def _mean_modulus_is_known(trial: Trial) -> Law:
    weight = mask(trial.inputs["probe"])
    return Law(mean(absolute(weight * trial.value())), 1 / trial.exact(trial.inputs["probe_scale"]))


CONTRACTS = (
    Contract(
        name="probe.disk",
        equation="1 where r < radius, 0 elsewhere",
        arguments=(_SIZE, Argument("radius", LENGTH, probes.radius)),
        results=(Result("probe", PROBE),),
        strata=(*SQUARE_GRIDS[:3], *WHOLE),
    ),
    Contract(
        name="probe.gaussian",
        equation="exp(−r² / 2·width²)",
        arguments=(_SIZE, Argument("width", LENGTH, probes.width)),
        results=(Result("probe", PROBE),),
        strata=SQUARE_GRIDS[:3],
    ),
    Contract(
        name="probe.zone_plate",
        equation="DFT₂ of [stop ≤ r < outer]·exp(i·defocus·(r / outer)²), centred, / N",
        arguments=(
            _SIZE,
            Argument("outer_radius", LENGTH, probes.outer_radius),
            Argument("stop_radius", LENGTH, probes.stop_radius),
            Argument("defocus", ANGLE, probes.defocus),
        ),
        results=(Result("probe", PROBE),),
        strata=(*SQUARE_GRIDS[:3], *WHOLE),
    ),
    Contract(
        name="probe.orthogonal_modes",
        equation="Gram–Schmidt of p·x^a·y^b, energies shared out by powers",
        arguments=(
            Argument("probe", SINGLE_MODE, probes.single_mode),
            Argument("powers", MODE_POWERS, probes.powers),
        ),
        results=(Result("modes", PROBE),),
        strata=(*SQUARE_GRIDS, *HIGHER),
        facts=(
            Fact("each mode has its share of the energy", _energy_is_shared_out, broken_by="amplitudes"),
            Fact("⟨p_i, p_j⟩ = 0", _modes_are_orthogonal, broken_by="oblique"),
        ),
    ),
    Contract(
        name="probe.mask",
        equation="1 where r < N/4, 0 elsewhere",
        arguments=(Argument("probe", PROBE, probes.probe),),
        results=(Result("mask", WEIGHT),),
        strata=SQUARE_GRIDS,
    ),
    Contract(
        name="probe.normalize",
        equation="p / (probe_scale · mean |mask·p|)",
        arguments=(Argument("probe", PROBE, probes.probe, differentiable=True), _PROBE_SCALE),
        results=(Result("normalized", PROBE),),
        strata=SQUARE_GRIDS,
        facts=(
            Fact("the scale of p is forgotten", _scale_is_forgotten, broken_by="unnormalised"),
            Fact("mean |mask·p| = 1 / probe_scale", _mean_modulus_is_known, broken_by="scale-twice"),
        ),
    ),
)
