"""A case: contract + stratum + seed, the same example everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity._ground.errors import UsageError
from parity.contracts.cases.datasets import Dataset
from parity.contracts.cases.families.exposures import (
    ExposureSpec,
    detected,
    exit_waves,
    fitted_log_scale,
    observed,
    predicted,
)
from parity.contracts.cases.families.family import MEASURED, Spec, Stratum
from parity.contracts.cases.families.networks import images, noiseless_images
from parity.contracts.cases.families.scans import recorded
from parity.contracts.contract import Contract, Inputs, Result, Source, has_readings
from parity.physics.kinds import Numbers
from parity.physics.precision import ALL_PRECISIONS, FLOAT64, Precision

ONE_HOT_EVERY = 4
"""Every fourth case asks for the gradient of a single element instead of a random combination of all."""

COUNTED: frozenset[Source] = frozenset(
    {detected, exit_waves, fitted_log_scale, images, noiseless_images, observed, predicted, recorded}
)
"""The sources whose arrays are others with more photons."""


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where an example lies among those of its contract.

    `size` is the longer side of its frame in pixels (of a vector of parameters, that of the square it fills), `photons`
    the photons in the mean pattern; None where the contract takes nothing that depends on it, or nothing says so.
    """

    size: int | None = None
    photons: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One example of a contract. With a `dataset` the exposures are the user's, and the seed says which of them."""

    contract: Contract
    stratum: Stratum
    seed: int
    dataset: Dataset | None = None

    @property
    def name(self) -> str:
        return f"{self.stratum.name}/{self.seed}"

    @property
    def spec(self) -> Spec:
        drawn = self.stratum.draw(self.seed)
        return drawn.around(self.dataset) if self.dataset else drawn

    @property
    def coordinates(self) -> Coordinates:
        """Size and photons, from the specification: nothing is simulated. What was measured has no photons to name."""
        spec, counts = self.spec, any(argument.source in COUNTED for argument in self.contract.arguments)
        named = counts and self.dataset is None
        return Coordinates(max(spec.frame), spec.photons if named and isinstance(spec, ExposureSpec) else None)

    def inputs(self) -> dict[str, NDArray[Any]]:
        """The arguments by name, canonical and in float64; checked against their kinds."""
        spec = self.spec
        arrays = {argument.name: np.asarray(argument.of(spec)) for argument in self.contract.arguments}
        self.contract.check(arrays)
        return arrays

    def cotangents(self, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Random cotangents for results of these values, of their shapes.

        Never all ones: for Σ|DFT(p·O)|² that gives the gradient of Σ|p·O|², transform or none (Parseval).
        """
        return {result.name: _cotangent(result, values[result.name], self.spec) for result in self.contract.results}


def precisions_of(inputs: Inputs, wanted: tuple[Precision, ...]) -> tuple[Precision, ...]:
    """The precisions in which inputs can be tried: detector readings are widened to float64, whatever is wanted."""
    double = next((precision for precision in wanted if precision.is_double), FLOAT64)
    return (double,) if has_readings(inputs) else wanted


def forced(contract: Contract, dataset: Dataset | None = None) -> Iterator[Case]:
    """The first case of every stratum; a data set is a stratum of its own."""
    return (Case(contract, stratum, 0, dataset) for stratum in strata_of(contract, dataset))


def sweep(contract: Contract, examples: int, dataset: Dataset | None = None) -> Iterator[Case]:
    """The forced cases, then `examples` more (fewer, of a costly contract) that go round the strata."""
    yield from forced(contract, dataset)
    strata = strata_of(contract, dataset)
    for number in range(contract.drawn(examples)):
        turn, stratum = divmod(number, len(strata))
        yield Case(contract, strata[stratum], turn + 1, dataset)


def strata_of(contract: Contract, dataset: Dataset | None) -> tuple[Stratum, ...]:
    """Where cases are drawn from: the contract's strata, or the user's exposures alone."""
    return (contract.strata[0].measured(),) if dataset else contract.strata


LONGEST_SEED = 18
"""Digits of a seed: it is a number of 64 bits."""


def parse_case(contract: Contract, text: str, dataset: Dataset | None = None) -> Case:
    """The case written `stratum/seed`. Raises UsageError when it is neither."""
    stratum, slash, seed = text.partition("/")
    if not slash or not seed.isdecimal():
        raise UsageError(f"a case is written stratum/seed, such as odd/17; got '{text}'")
    if len(seed) > LONGEST_SEED:
        raise UsageError(f"case: expected a seed of at most {LONGEST_SEED} digits, got one of {len(seed):,}")
    if dataset and stratum != MEASURED:
        raise UsageError(f"a data set is the stratum '{MEASURED}'; got '{stratum}'")
    return Case(contract, strata_of(contract, dataset)[0] if dataset else contract.stratum(stratum), int(seed), dataset)


def coordinates_of(contract: Contract, text: str, dataset: Dataset | None = None) -> Coordinates:
    """Where the case written `stratum/seed` lies.

    Nothing is known of one that the contract no longer has, nor of a measured one without its data set.
    """
    try:
        return parse_case(contract, text, dataset).coordinates
    except UsageError:
        return Coordinates()


def parse_precisions(text: str) -> tuple[Precision, ...]:
    """Precisions from `f32,f64`, or `wide`. Raises UsageError for any other word."""
    unknown = [word for word in text.split(",") if word not in ALL_PRECISIONS]
    if unknown:
        raise UsageError(f"unknown precision '{unknown[0]}'; there are: {', '.join(ALL_PRECISIONS)}")
    return tuple(ALL_PRECISIONS[word] for word in dict.fromkeys(text.split(",")))


def _cotangent(result: Result, value: NDArray[Any], spec: Spec) -> NDArray[Any]:
    random = spec.generator(f"cotangent of {result.name}")
    weight = random.standard_normal(value.shape)
    if result.kind.numbers is Numbers.COMPLEX:
        weight = weight + 1j * random.standard_normal(value.shape)
    size = _relative_size(value) if result.relative else np.ones(value.shape)
    if value.size > 1 and spec.seed % ONE_HOT_EVERY == ONE_HOT_EVERY - 1:
        chosen = random.choice(value.size, p=size.ravel() / size.sum())
        return np.where(np.arange(value.size).reshape(value.shape) == chosen, weight, 0.0)
    return np.asarray(weight * size)


def _relative_size(value: NDArray[Any]) -> NDArray[np.float64]:
    """The modulus over its maximum; 1 where the value is exactly 0, whose gradient is a matter of definition."""
    modulus = np.abs(value)
    return np.where(modulus == 0, 1.0, modulus / (modulus.max() or 1.0))
