"""What would explain that a step of a pipeline is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt

import numpy as np

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.registry import Registry
from parity.faults.diagnosis import Diagnosis, diagnose_example
from parity.faults.diagnosis.observations import RAISES
from parity.judging.expectation import bounded_values
from parity.judging.measurement import Measurement
from parity.judging.quantity import by_quantity
from parity.judging.truth import Truth
from parity.physics.precision import Precision
from parity.runs.pipeline.expected import FileReading
from parity.runs.pipeline.source import Source
from parity.stacks.base import RAISED, Framework

_CONTRACTS = {
    "groups": "dataloader.neighbour_groups",
    "positions": "dataloader.group_positions",
    "normalization": "dataloader.group_amplitudes",
    "images": "dataloader.group_amplitudes",
}
"""What a loader's quantities are results of, were the exposures of the file a plain scan."""

_MOST = 32
"""Exposures that a loader is asked about once more."""


@dataclass(slots=True, eq=False)
class Causes:
    """Explains what is off in a pipeline; each stack's network and loss are searched once."""

    source: Source
    gridsize: int | None
    known: dict[str, Diagnosis | None] = field(default_factory=dict)

    def of(
        self,
        framework: Framework,
        failing: Sequence[Measurement],
        reading: FileReading,
        truth: Truth | None,
        contracts: Registry,
    ) -> Diagnosis | None:
        """What explains the failures of a stack in one step; None where it does the right thing on the right inputs.

        `truth` is that of the loss, for the steps that are no loader's. A verdict stands whatever becomes of its
        explanation: what the search raises is said in its place.
        """
        try:
            if truth is None:
                return self._of_loader(framework, failing, reading.precision)
            if framework.name not in self.known:
                self.known[framework.name] = diagnose_example(truth, framework, contracts)
            return self.known[framework.name]
        except Exception as error:
            return Diagnosis(framework.name, None, f"not known: the search raised {type(error).__name__}: {error}")

    def _of_loader(self, framework: Framework, failing: Sequence[Measurement], precision: Precision) -> Diagnosis:
        """The loader on a few exposures, as a plain scan: what it does wrong there, it does with the file."""
        unexplained = Diagnosis(
            framework.name, RAISES if any((m.fault or "").startswith(RAISED) for m in failing) else None
        )
        name = next(
            (_CONTRACTS[m.quantity.text] for m in failing if m.quantity.text in _CONTRACTS and not m.fault), None
        )
        if name is None:
            return unexplained
        contract = REGISTRY[name]
        entry = next(entry for entry in contract.entries if entry.stack == framework.name)
        found = diagnose_example(self._few(contract, precision), framework, REGISTRY, entry)
        return found or unexplained

    def _few(self, contract: Contract, precision: Precision) -> Truth:
        gridsize = self.gridsize or (1 if self.source.groups is None else isqrt(self.source.groups.shape[1]))
        given = {
            "scan": self.source.scan[:_MOST],
            "diffraction": self.source.diffraction[:_MOST].astype(np.float64),
            "gridsize": np.array(gridsize),
            "neighbours": np.array(gridsize**2),
            "seed": np.array(0),
        }
        inputs = {argument.name: given[argument.name] for argument in contract.arguments}
        quantities = by_quantity(bounded_values(contract, inputs, precision), {})
        return Truth(contract, contract.name, precision, inputs, {}, quantities)
