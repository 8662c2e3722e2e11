"""The stacks' Poisson samplers and the simulation's, judged as what they are: distributions.

Every sampler is asked for counts of one mean at a time, a mean for each decade of photons, and three tests compare what
came with the Poisson distribution itself:

- the mean: Σk of n counts is a Poisson variable of mean nλ, so the p-value is exact;
- the variance: Σ(k−λ)² has mean nλ, variance n·(2λ² + λ) and third cumulant n·(8λ³ + 22λ² + λ); the p-value is that of
  the Pearson type III distribution of these three, whose skew a normal distribution would leave out;
- the shape: the likelihood ratio G/2 = Σ O·ln(O/E) over bins of nearly equal probability. P(G/2 ≥ x) ≤
  e^{−x}·(e·x/(b−1))^{b−1} for b bins, whatever n and however small a bin's expectation (Agrawal, Finite-sample
  concentration of the multinomial in relative entropy, 2020), where Pearson's χ² is only asymptotically right.

What is not a whole count, or negative, fails without a test. A p-value convicts below `FALSE_ALARM` over the number of
tests of the whole judgement (Bonferroni, right for dependent tests too), so that samplers which are all right are
convicted with a probability of `FALSE_ALARM` at most. The stacks are not compared with each other: of two samples each
held to the known distribution, a test of the one against the other has half the power and nothing new to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from parity.contracts.contract import Contract
from parity.contracts.declared.sampling import SAMPLERS
from parity.physics.kinds import AMPLITUDE_UNIT
from parity.physics.precision import FLOAT64, PRECISIONS, Precision
from parity.stacks.base import Framework, StackError
from ptycho_exposures import diffsim

Counts = NDArray[np.float64]

Draw = Callable[[float, int, int], Counts]
"""So many values for a mean count, from a seed: counts or amplitudes, as the sampler gives them."""

LEVELS = tuple(10.0**decade for decade in range(-2, 9))
"""Mean photons a pixel."""

DRAWS = 60_000
"""Counts of each level; more of them where photons are rare."""

BINS = 24
"""At most, of nearly equal probability."""

FALSE_ALARM = 1e-9
"""Probability, at most, that samplers which are all right do not all pass."""

MISSED = 0.01
"""Probability at which a deviation of the size that is called visible is missed."""

TESTS = ("mean", "variance", "shape")


@dataclass(frozen=True, slots=True)
class Sampler:
    """A source of Poisson counts, or, with `amplitude`, of their roots, rounded to `precision`."""

    name: str
    source: str
    draw: Draw
    amplitude: bool = False
    precision: Precision = FLOAT64


@dataclass(frozen=True, slots=True)
class Judged:
    """One sampler at one level, the mean as its precision has it: the p-value of each test, or what forbids to test."""

    sampler: Sampler
    level: float
    mean: float
    draws: int
    p: Mapping[str, float]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All samplers at all levels, and the p-value below which a test convicts."""

    judged: tuple[Judged, ...]
    threshold: float

    @property
    def failures(self) -> tuple[str, ...]:
        """A sentence for every test that convicts."""
        return tuple(sentence for one in self.judged for sentence in self._failures(one))

    @property
    def agrees(self) -> bool:
        return bool(self.judged) and not self.failures

    def convicts(self, one: Judged) -> bool:
        return bool(self._failures(one))

    def _failures(self, one: Judged) -> list[str]:
        where = f"{one.sampler.name}: at a mean of {one.level:g} photons"
        if one.fault:
            return [f"{where}: {one.fault}"]
        return [
            f"{where} the {test} of {one.draws:,} counts is not Poisson's: p = {p:.1e}, convicts below "
            f"{self.threshold:.1e}"
            for test, p in one.p.items()
            if not p >= self.threshold
        ]


def stack_samplers(frameworks: Iterable[Framework]) -> tuple[Sampler, ...]:
    """The samplers of the stacks, each in both precisions."""
    return tuple(
        Sampler(
            f"{framework.stack.package}.{contract.name} in {precision.real}",
            framework.name,
            _drawn_by(framework, contract, precision),
            amplitude=contract.results[0].kind.unit == AMPLITUDE_UNIT,
            precision=precision,
        )
        for framework in frameworks
        for contract in SAMPLERS
        for precision in PRECISIONS.values()
    )


def simulation_sampler() -> Sampler:
    """The sampler of `ptycho_exposures.diffsim`, NumPy's, which makes every simulated exposure."""

    def draw(mean: float, draws: int, seed: int) -> Counts:
        amplitude: Counts = np.asarray(diffsim.observe_amplitude(np.full(draws, math.sqrt(mean)), seed), np.float64)
        return amplitude

    return Sampler("ptycho_exposures.diffsim.observe_amplitude", "numpy", draw, amplitude=True)


def judge_samplers(samplers: Sequence[Sampler], levels: Sequence[float] = LEVELS, draws: int = DRAWS) -> Judgement:
    """Draw from every sampler at every level, from seeds that are always the same, and test what came."""
    tests = len(TESTS) * len(samplers) * len(levels)
    pairs = [(sampler, mean) for sampler in samplers for mean in levels]
    judged = tuple(_judged(sampler, mean, drawn_at(mean, draws), seed) for seed, (sampler, mean) in enumerate(pairs))
    return Judgement(judged, FALSE_ALARM / max(1, tests))


def drawn_at(mean: float, draws: int = DRAWS) -> int:
    """How many counts are drawn at a level: more where most are zero, so that photons come at all."""
    return math.ceil(draws * max(1.0, 0.1 / mean))


def visible_mean(mean: float, draws: int, threshold: float) -> float:
    """The relative error of the mean that is seen but with the probability `MISSED`; normal approximation."""
    return _sigmas(threshold) / math.sqrt(draws * mean)


def visible_variance(mean: float, draws: int, threshold: float) -> float:
    """The relative error of the variance that is seen but with the probability `MISSED`; normal approximation."""
    return _sigmas(threshold) * math.sqrt((2 + 1 / mean) / draws)


def _sigmas(threshold: float) -> float:
    return float(stats.norm.isf(threshold / 2) + stats.norm.isf(MISSED))


def _drawn_by(framework: Framework, contract: Contract, precision: Precision) -> Draw:
    def draw(mean: float, draws: int, seed: int) -> Counts:
        inputs = {"intensity": np.full((1, 1, 1, draws), mean), "seed": np.array(seed)}
        (values,) = framework.evaluate(contract, inputs, precision).values.values()
        if values.shape != (1, 1, 1, draws) or values.dtype != precision.real:
            raise StackError(f"returned {values.dtype} of shape {values.shape}, expected {draws} of {precision.real}")
        drawn: Counts = values.ravel().astype(np.float64)
        return drawn

    return draw


def _judged(sampler: Sampler, level: float, draws: int, seed: int) -> Judged:
    mean = float(sampler.precision.round(np.array(level)))
    try:
        counts, fault = _counts(sampler, sampler.draw(mean, draws, seed))
    except StackError as error:
        fault = str(error)
    if fault:
        return Judged(sampler, level, mean, draws, {}, fault)
    p = {"mean": _p_of_mean(counts, mean), "variance": _p_of_variance(counts, mean), "shape": _p_of_shape(counts, mean)}
    return Judged(sampler, level, mean, draws, p)


def _counts(sampler: Sampler, values: Counts) -> tuple[Counts, str]:
    """The counts behind what a sampler gave, and what is wrong with them if they are none."""
    if not (np.isfinite(values) & (values >= 0)).all():
        return values, "gave values that are negative or not finite"
    counts = np.square(values) if sampler.amplitude else values
    whole = np.round(counts)
    # A root rounded once is, squared, off by three roundings, second order and those of this line included.
    allowed = 3 * sampler.precision.unit_roundoff * counts if sampler.amplitude else 0.0
    if (np.abs(counts - whole) > allowed).any():
        return whole, "gave values that are no whole counts" if not sampler.amplitude else "gave no roots of counts"
    return whole, ""


def _p_of_mean(counts: Counts, mean: float) -> float:
    """Two-sided, of the total, which is a Poisson variable."""
    total, law = counts.sum(), stats.poisson(len(counts) * mean)
    return float(min(1.0, 2 * min(law.cdf(total), law.sf(total - 1))))


def _p_of_variance(counts: Counts, mean: float) -> float:
    """Two-sided, of Σ(k−λ)², by a Pearson type III distribution with its first three cumulants."""
    draws = len(counts)
    spread = math.sqrt(draws * (2 * mean**2 + mean))
    skew = draws * (8 * mean**3 + 22 * mean**2 + mean) / spread**3
    law = stats.pearson3(skew)
    deviation = (np.square(counts - mean).sum() - draws * mean) / spread
    return float(min(1.0, 2 * min(law.cdf(deviation), law.sf(deviation))))


def _p_of_shape(counts: Counts, mean: float) -> float:
    """An upper bound of the p-value of the likelihood ratio over bins."""
    edges = _edges(mean)
    probabilities = np.diff(stats.poisson.cdf(edges, mean), prepend=0.0, append=1.0)
    observed = np.bincount(np.searchsorted(edges, counts), minlength=len(probabilities))
    expected = len(counts) * probabilities
    seen = observed > 0
    ratio = float(np.sum(observed[seen] * np.log(observed[seen] / expected[seen])))
    freedom = len(probabilities) - 1
    return 1.0 if ratio <= freedom else math.exp(-ratio + freedom * (1 + math.log(ratio / freedom)))


def _edges(mean: float) -> NDArray[np.float64]:
    """The last count of every bin but the last: quantiles; a count that has more than its share has a bin alone."""
    shares = np.arange(1, BINS) / BINS
    tails = np.array([1e-3, 1 - 1e-3])
    quantiles = stats.poisson.ppf(np.sort(np.append(shares, tails)), mean)
    edges: NDArray[np.float64] = np.unique(quantiles)
    return edges
