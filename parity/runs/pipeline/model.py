"""The contracts that a pipeline ends with, their arguments, and what the oracle says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.declared.forward import reconstruction
from parity.contracts.declared.networks import autoencoder
from parity.contracts.registry import Registry
from parity.judging.expectation import exactly
from parity.judging.quantity import Quantity, by_quantity
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import Precision
from parity.physics.weights import Weights
from parity.runs.pipeline.expected import FileReading

WEIGHTING = "central"
"""How patches count where they overlap: those of the autoencoder are 0 outside their middle."""

TERMS: Mapping[str, float] = {
    "nll_weight": 1.0,
    "mae_weight": 1.0,
    "realspace_weight": 0.0,
    "tv_weight": 0.0,
    "realspace_mae_weight": 0.0,
}
"""Both losses on the detector; an experiment has no target in real space."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Network, prediction and loss for patterns of `size` pixels a side."""

    size: int

    @property
    def autoencode(self) -> Contract:
        """From images to patches."""
        return self.contracts[f"networks.autoencode@{self.size}"]

    @property
    def predict(self) -> Contract:
        """From patches to the amplitude on the detector."""
        return REGISTRY["forward.predict_amplitude"]

    @property
    def loss(self) -> Contract:
        """From images to the loss."""
        return reconstruction(self.size)

    @property
    def terms(self) -> tuple[Contract, ...]:
        """From the amplitude on the detector and the observed one to each term of the loss by itself."""
        return REGISTRY["losses.poisson_nll"], REGISTRY["losses.mae"]

    @property
    def contracts(self) -> Registry:
        """All that there are, with a network of this size."""
        network = autoencoder(self.size)
        return Registry([*REGISTRY.values(), *([] if network.name in REGISTRY else [network])])

    def arguments(self, read: Mapping[str, NDArray[Any]], weights: Weights, canvas: int) -> dict[str, NDArray[Any]]:
        """Those of `loss`, from what a loader gave."""
        images = read["images"]
        fixed: dict[str, Any] = {"rows": canvas, "columns": canvas, "weighting": WEIGHTING, **TERMS}
        return {
            **{name: read[name] for name in ("images", "positions", "probe", "log_scale", "observed")},
            "target": np.zeros(images.shape, np.result_type(images.dtype, np.complex64)),
            **{name: np.array(value) for name, value in fixed.items()},
            **weights,
        }

    def compared(self, contract: Contract, predicted: Any, observed: Any) -> dict[str, Any]:
        """The arguments of one of the `terms`."""
        return _of(contract, {"predicted": predicted, "observed": observed, "full": np.array(True)})

    def expect(self, reading: FileReading, weights: Weights) -> dict[Quantity, Bounded]:
        """Patches, prediction, losses and gradients, by quantity, of what should have been read, with its bounds."""
        precision = reading.precision
        rounded = {name: bounded.value for name, bounded in reading.quantities.items()}
        given = self._bounded(self.arguments(rounded, weights, reading.canvas), precision)
        given |= {name: bounded for name, bounded in reading.quantities.items() if name in given}
        patches = self.autoencode.oracle()(**_of(self.autoencode, given))
        predicted = self.predict.oracle()(**_of(self.predict, given | {"patches": patches}))
        arguments = _of(self.loss, given)
        values = {
            "patches": patches,
            "predicted": predicted,
            **self._terms(predicted, given["observed"]),
            "loss": self.loss.oracle()(**arguments),
        }
        gradients = self.loss.oracle_vjp()(exactly(np.array(1.0), precision), **arguments)
        names = [argument.name for argument in self.loss.differentiable]
        return by_quantity(values, dict(zip(names, gradients, strict=True)))

    def _terms(self, predicted: Bounded, observed: Bounded) -> dict[str, Bounded]:
        return {
            contract.results[0].name: contract.oracle()(**self.compared(contract, predicted, observed))
            for contract in self.terms
        }

    def _bounded(self, arguments: Mapping[str, NDArray[Any]], precision: Precision) -> dict[str, Any]:
        """What is no data is plain, the rest exact."""
        static = {argument.name for argument in self.loss.arguments if argument.kind.static}
        return {
            name: array.item() if name in static else exactly(array, precision) for name, array in arguments.items()
        }


def _of(contract: Contract, known: Values) -> dict[str, Any]:
    """The arguments of a contract among others."""
    return {argument.name: known[argument.name] for argument in contract.arguments}
