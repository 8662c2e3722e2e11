"""Contracts of `sampling`, held as distributions by `parity.judging.samplers`: no oracle knows a sample's value."""

from __future__ import annotations

from parity.contracts.contract import Argument, Contract, Result
from parity.physics.kinds import AMPLITUDE, COUNT, COUNTS, INTENSITY

_ARGUMENTS = (Argument("intensity", INTENSITY), Argument("seed", COUNT))

SAMPLERS = (
    Contract(
        name="sampling.sample_counts",
        equation="k ~ Poisson(intensity)",
        arguments=_ARGUMENTS,
        results=(Result("counts", COUNTS),),
        strata=(),
    ),
    Contract(
        name="sampling.sample_amplitude",
        equation="√k, k ~ Poisson(intensity)",
        arguments=_ARGUMENTS,
        results=(Result("amplitude", AMPLITUDE),),
        strata=(),
    ),
)
