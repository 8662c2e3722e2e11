"""From measurements to verdicts, on measurements made up for it: neither a framework nor a contract is needed."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.contracts.contract import Quota
from parity.judging.measurement import PAIR, Gain, Label, Measurement, measure
from parity.judging.quantity import gradient_of, result_of
from parity.judging.verdict import POOLED_FROM, Outcome, Verdict, judge
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64, Precision

CONTRACT = "optics.illuminate"


def found(stack: str = "torch", case: str = "even/0", precision: str = "f64", **numbers: Any) -> Measurement:
    defaults: dict[str, Any] = {"quantity": result_of("exit_waves"), "elements": 10, "epsilon": 1e-6, "ratio": 0.5}
    return Measurement(CONTRACT, case, precision, stack=stack, **defaults | numbers)


def verdict(*measurements: Measurement, quota: Quota = Quota()) -> Verdict:  # noqa: B008  (it is frozen)
    return judge(CONTRACT, measurements, quota)


def both(ratio: float, pair_ratio: float, **numbers: Any) -> tuple[Measurement, ...]:
    return (
        found("torch", ratio=ratio, **numbers),
        found("tensorflow", ratio=ratio, **numbers),
        found(PAIR, ratio=pair_ratio, **numbers),
    )


def test_of_some_examples_only_what_each_shows_is_judged() -> None:
    blind = [found(case=f"even/{n}", epsilon=1.0, undecided=9, elements=10) for n in range(9)]
    assert verdict(*blind).outcome is Outcome.UNDECIDED
    assert judge(CONTRACT, blind, Quota(), whole=False).agrees
    assert judge(CONTRACT, [*blind, found(ratio=1.5)], Quota(), whole=False).outcome is Outcome.DISAGREE
    assert judge(CONTRACT, [*blind, found(PAIR, ratio=1.5)], Quota(), whole=False).outcome is Outcome.DISAGREE
    assert judge(CONTRACT, [], Quota(), whole=False).outcome is Outcome.UNDECIDED


def test_what_was_not_checked_does_not_agree() -> None:
    nothing = verdict()
    assert nothing.outcome is Outcome.UNDECIDED
    assert not nothing.agrees
    assert nothing.reason == "no example was run"
    assert (nothing.examples, nothing.sides, nothing.gap) == (0, (), None)


def test_errors_up_to_the_bound_agree() -> None:
    agreeing = verdict(*both(1.0, 1.0), *both(0.1, 0.1, case="odd/0"))
    assert agreeing.outcome is Outcome.AGREE
    assert agreeing.agrees
    assert agreeing.examples == 2
    assert agreeing.worst == {"torch": 1.0, "tensorflow": 1.0}
    assert (agreeing.failures, agreeing.sides) == ((), ())


@pytest.mark.parametrize("side", ["torch", "tensorflow"])
def test_an_error_beyond_the_bound_names_its_stack(side: str) -> None:
    other = {"torch": "tensorflow", "tensorflow": "torch"}[side]
    found_wrong = verdict(found(side, ratio=1.01), found(other), found(PAIR, ratio=5.0))
    assert found_wrong.outcome is Outcome.DISAGREE
    assert found_wrong.sides == (side,)
    assert not found_wrong.alike
    assert found_wrong.failures == (found(side, ratio=1.01),)


def test_both_wrong_in_ways_of_their_own() -> None:
    apart = verdict(*both(1e6, 1e6))
    assert set(apart.sides) == {"torch", "tensorflow"}
    assert not apart.alike


def test_both_wrong_alike() -> None:
    assert verdict(*both(1e6, 0.3)).alike


def test_without_a_pair_nothing_is_said_to_be_alike() -> None:
    assert not verdict(*both(1e6, 0.3)[:2]).alike


def test_one_wrong_pair_among_many_alike_is_enough_to_differ() -> None:
    assert not verdict(*both(1e6, 0.3), *both(1e6, 1e6, case="odd/0")).alike


def test_a_fault_is_a_failure_whatever_its_numbers() -> None:
    faulty = verdict(found(ratio=0.0, fault="returned shape (3,), expected ()"), found("tensorflow"))
    assert faulty.outcome is Outcome.DISAGREE
    assert faulty.sides == ("torch",)
    assert faulty.worst == {"torch": np.inf, "tensorflow": 0.5}


def test_the_failure_that_says_most_comes_first() -> None:
    """Faults; results before gradients; float64 before float32; then by size."""
    ordered = (
        found(ratio=0.0, fault="raised ValueError"),
        found(ratio=9.0),
        found(ratio=2.0),
        found(ratio=99.0, precision="f32"),
        found(ratio=999.0, quantity=gradient_of("probe")),
        found(ratio=9999.0, quantity=gradient_of("probe"), precision="f32"),
    )
    assert verdict(*reversed(ordered)).failures == ordered


def test_stacks_too_far_apart_within_their_bounds_disagree_without_a_side() -> None:
    torn = verdict(found("torch", ratio=1.0), found("tensorflow", ratio=1.0), found(PAIR, ratio=1.1))
    assert torn.outcome is Outcome.DISAGREE
    assert torn.sides == ()
    assert torn.reason == "exit_waves, case even/0: the stacks are too far apart, each within its own bound"


@pytest.mark.parametrize(("undecided", "outcome"), [(2, Outcome.AGREE), (3, Outcome.UNDECIDED)])
def test_the_quota_of_undecided_elements(undecided: int, outcome: Outcome) -> None:
    judged = verdict(found(undecided=undecided), quota=Quota(undecided=0.2))
    assert judged.outcome is outcome
    if outcome is Outcome.UNDECIDED:
        assert judged.reason == "exit_waves in f64: 30.00% of the elements have no bound, quota 20.00%"


def test_a_quota_is_of_one_quantity_in_one_precision() -> None:
    sharp = [found(case=f"even/{seed}", precision="f32") for seed in range(100)]
    blind = found(undecided=10)
    assert verdict(*sharp, blind, quota=Quota(undecided=0.5)).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(("blind", "outcome"), [(2, Outcome.AGREE), (3, Outcome.UNINFORMATIVE)])
def test_the_quota_of_uninformative_examples(blind: int, outcome: Outcome) -> None:
    """25 examples of two stacks and their pairs: 2 are 8 %, 3 are 12 %; the quota is 10 %."""
    measurements = [
        measurement
        for seed in range(25)
        for measurement in both(0.5, 0.5, case=f"even/{seed}", epsilon=0.02 if seed < blind else 1e-6)
    ]
    judged = verdict(*measurements)
    assert judged.outcome is outcome
    if outcome is Outcome.UNINFORMATIVE:
        assert judged.reason == ("exit_waves in f64: 12.0% of the examples show nothing smaller than 1 %, quota 10.0%")


def test_where_it_is_declared_an_example_informs_if_it_does_in_one_precision() -> None:
    blind = [found(case=f"even/{seed}", precision="f32", epsilon=0.02) for seed in range(9)]
    sharp = [found(case=f"even/{seed}", precision="f64", epsilon=1e-9) for seed in range(9)]
    declared = Quota(any_precision=True)
    assert verdict(*blind, *sharp).outcome is Outcome.UNINFORMATIVE
    assert verdict(*blind, quota=declared).outcome is Outcome.UNINFORMATIVE
    assert verdict(*blind, *sharp, quota=declared).outcome is Outcome.AGREE


def test_a_disagreement_outranks_what_cannot_be_said() -> None:
    assert verdict(found(ratio=2.0, undecided=9)).outcome is Outcome.DISAGREE


def test_the_gap_is_that_of_the_pairs_in_float64() -> None:
    measurements = (
        found(PAIR, gap=1e-15),
        found(PAIR, gap=3e-16, case="odd/0"),
        found(PAIR, gap=1e-7, precision="f32"),
        found(gap=0.5),
    )
    assert verdict(*measurements).gap == 1e-15
    assert verdict(*measurements[2:]).gap is None


def test_epsilon_is_of_the_least_sensitive_quantity_at_its_best_in_float32() -> None:
    judged = verdict(
        found(precision="f32", epsilon=1e-5),
        found(precision="f32", epsilon=1e-6, case="odd/0"),
        found(precision="f32", epsilon=1e-4, quantity=gradient_of("probe")),
        found(precision="f64", epsilon=1e-2),
    )
    assert judged.epsilon == 1e-4


class Simulated:
    """Float32 results of 64 elements with a bound of 40 roundings each, and a gain error on top."""

    def __init__(self, gain: float, seed: int = 0) -> None:
        self._gain = gain
        self._random = np.random.default_rng(seed)

    def example(self, number: int, precision: Precision = FLOAT32) -> Measurement:
        value = precision.round(self._random.uniform(1, 2, 64)).astype(np.float64)
        oracle = Bounded(value, 40 * np.abs(value), precision)
        label = Label(CONTRACT, f"even/{number}", precision.name, result_of("exit_waves"))
        return measure(label, "torch", self._rounded(value, self._gain), oracle, self._rounded(value, 0.0))

    def _rounded(self, value: NDArray[np.float64], gain: float) -> NDArray[Any]:
        """The value as correct code would have it, some roundings away, and then with a gain."""
        roundings = self._random.uniform(-8, 8, value.shape) * FLOAT32.unit_roundoff
        return FLOAT32.round(value * (1 + roundings) * (1 + gain))


def pooled(gain: float, examples: int = 20) -> Verdict:
    simulated = Simulated(gain)
    return verdict(*(simulated.example(number) for number in range(examples)))


@pytest.mark.parametrize("gain", [1e-6, -1e-6])
def test_a_common_gain_that_no_example_shows_is_found_by_pooling(gain: float) -> None:
    judged = pooled(gain)
    assert judged.failures == ()
    assert judged.worst["torch"] < 1
    assert judged.outcome is Outcome.DISAGREE
    assert judged.sides == ("torch",)
    (found_gain,) = judged.gains
    assert found_gain.low < gain < found_gain.high
    assert judged.reason.startswith("torch: exit_waves has a common gain error between ")


def test_correct_rounding_has_no_common_gain() -> None:
    judged = pooled(0.0)
    assert judged.agrees
    assert judged.gains[0].agrees


def test_a_few_examples_show_a_common_gain_too() -> None:
    judged = pooled(1e-6, examples=POOLED_FROM)
    assert judged.failures == ()
    assert judged.sides == ("torch",)


def test_the_fewer_the_examples_the_more_is_allowed() -> None:
    few, some, many = (pooled(0.0, examples=examples).gains[0].allowed for examples in (POOLED_FROM, 6, 20))
    assert few > some > many


def test_fewer_examples_still_are_not_pooled() -> None:
    assert pooled(1e-6, examples=POOLED_FROM - 1).gains == ()


@pytest.mark.parametrize("examples", [POOLED_FROM, 5, 6, 8, 20])
@pytest.mark.parametrize("scale", [1, 2])
def test_gains_without_a_common_sign_are_none_however_large(examples: int, scale: int) -> None:
    """Of correct code, whose gains may be twice as large as the witness's, and far larger than a rounding."""
    random = np.random.default_rng(examples)
    for _ in range(200):
        weights = 10 ** random.uniform(-2, 0, examples)
        noise = random.standard_normal((2, examples)) * np.sqrt(weights)
        judged = verdict(
            *(
                found(case=f"even/{n}", precision="f32", gain=Gain(scale * s, w), witness=Gain(t, w))
                for n, (s, t, w) in enumerate(zip(*noise, weights, strict=True))
            )
        )
        assert judged.agrees, judged.reason


def test_thousands_of_examples_are_pooled() -> None:
    measurement = Simulated(0.0).example(0)
    assert verdict(*[measurement] * 5000).agrees


def test_float64_is_not_pooled() -> None:
    label = Label(CONTRACT, "even/0", FLOAT64.name, result_of("exit_waves"))
    oracle = Bounded(np.ones(4), np.ones(4), FLOAT64)
    measurements = [measure(label, "torch", np.ones(4), oracle, np.ones(4))] * 20
    assert verdict(*measurements).gains == ()
