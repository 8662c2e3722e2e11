"""Contracts of `optics`: from object and probe to the detector."""

from __future__ import annotations

from parity.contracts.cases.families import exposures
from parity.contracts.cases.families.exposures import EXPOSURES, SHAPES, WRAPPED
from parity.contracts.cases.families.probes import probe
from parity.contracts.contract import Argument, Contract, Fact, Law, Result, Trial
from parity.physics.kinds import AMPLITUDE, EXIT_WAVES, OBJECT, PHASE, PROBE
from parity.physics.oracle.operations import absolute, absolute_square, square, total


def _modulus_is_amplitude(trial: Trial) -> Law:
    return Law(absolute(trial.value()), trial.exact(trial.inputs["amplitude"]))


def _energy_is_conserved(trial: Trial) -> Law:
    waves = trial.exact(trial.inputs["exit_waves"])
    return Law(total(square(trial.value()), axis=(-2, -1)), total(absolute_square(waves), axis=(-3, -2, -1)))


def _modes_add_incoherently(trial: Trial) -> Law:
    turned = trial.inputs["exit_waves"].copy()
    turned[:, :, 0] *= 1j
    return Law(trial.value(exit_waves=turned), trial.value())


CONTRACTS = (
    Contract(
        name="optics.combine_complex",
        equation="O = a·e^{iφ}",
        textbook=lambda mp, amplitude, phase: amplitude * mp.exp(1j * phase),
        arguments=(
            Argument("amplitude", AMPLITUDE, exposures.amplitude, differentiable=True),
            Argument("phase", PHASE, exposures.phase, differentiable=True),
        ),
        results=(Result("patches", OBJECT),),
        strata=(*SHAPES, *WRAPPED),
        facts=(Fact("|O| = a", _modulus_is_amplitude, broken_by="phase-as-imaginary-part"),),
    ),
    Contract(
        name="optics.illuminate",
        equation="ψ_p = p_p·O",
        textbook=lambda mp, patches, probe: patches[:, :, None] * probe,
        arguments=(
            Argument("patches", OBJECT, exposures.patches, differentiable=True),
            Argument("probe", PROBE, probe, differentiable=True),
        ),
        results=(Result("exit_waves", EXIT_WAVES),),
        strata=(*SHAPES, *WRAPPED),
    ),
    Contract(
        name="optics.far_field_amplitude",
        equation="Â = √(fftshift(Σ_p |DFT₂ ψ_p|² / HW))",
        arguments=(Argument("exit_waves", EXIT_WAVES, exposures.exit_waves, differentiable=True),),
        results=(Result("amplitude", AMPLITUDE, relative=True),),
        strata=(*SHAPES, *EXPOSURES, *WRAPPED),
        facts=(
            Fact("Σ Â² = Σ_p Σ |ψ_p|²", _energy_is_conserved, broken_by="no-norm"),
            Fact("a phase on one mode changes nothing", _modes_add_incoherently, broken_by="coherent-modes"),
        ),
    ),
)
