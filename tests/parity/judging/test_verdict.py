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
from parity.physics.precision import FLOAT32, FLOAT64

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


def test_of_some_examples_only_what_each_shows_is_judged():
    blind = [found(case=f"even/{n}", epsilon=1.0, undecided=9, elements=10) for n in range(9)]
    assert verdict(*blind).outcome is Outcome.UNDECIDED
    for measurements, outcome in (
        (blind, Outcome.AGREE),
        ([*blind, found(ratio=1.5)], Outcome.DISAGREE),
        ([*blind, found(PAIR, ratio=1.5)], Outcome.DISAGREE),
        ([], Outcome.UNDECIDED),
    ):
        assert judge(CONTRACT, measurements, Quota(), whole=False).outcome is outcome


def test_what_was_not_checked_does_not_agree():
    nothing = verdict()
    assert (nothing.outcome, nothing.agrees, nothing.reason) == (Outcome.UNDECIDED, False, "no example was run")
    assert (nothing.examples, nothing.sides, nothing.gap) == (0, (), None)


def test_errors_up_to_the_bound_agree():
    agreeing = verdict(*both(1.0, 1.0), *both(0.1, 0.1, case="odd/0"))
    assert (agreeing.outcome, agreeing.agrees, agreeing.examples) == (Outcome.AGREE, True, 2)
    assert agreeing.worst == {"torch": 1.0, "tensorflow": 1.0}
    assert (agreeing.failures, agreeing.sides) == ((), ())


@pytest.mark.parametrize(("side", "other"), [("torch", "tensorflow"), ("tensorflow", "torch")])
def test_an_error_beyond_the_bound_names_its_stack(side, other):
    wrong = verdict(found(side, ratio=1.01), found(other), found(PAIR, ratio=5.0))
    assert (wrong.outcome, wrong.sides, wrong.alike) == (Outcome.DISAGREE, (side,), False)
    assert wrong.failures == (found(side, ratio=1.01),)


@pytest.mark.parametrize(
    ("measurements", "alike"),
    [
        (both(1e6, 1e6), False),
        (both(1e6, 0.3), True),
        (both(1e6, 0.3)[:2], False),  # without a pair nothing is said to be alike
        ((*both(1e6, 0.3), *both(1e6, 1e6, case="odd/0")), False),  # one wrong pair among many is enough to differ
    ],
)
def test_both_wrong_alike_or_in_ways_of_their_own(measurements, alike):
    apart = verdict(*measurements)
    assert set(apart.sides) == {"torch", "tensorflow"}
    assert apart.alike is alike


def test_a_fault_is_a_failure_whatever_its_numbers():
    faulty = verdict(found(ratio=0.0, fault="returned shape (3,), expected ()"), found("tensorflow"))
    assert (faulty.outcome, faulty.sides) == (Outcome.DISAGREE, ("torch",))
    assert faulty.worst == {"torch": np.inf, "tensorflow": 0.5}


def test_the_failure_that_says_most_comes_first():
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


def test_stacks_too_far_apart_within_their_bounds_disagree_without_a_side():
    torn = verdict(found("torch", ratio=1.0), found("tensorflow", ratio=1.0), found(PAIR, ratio=1.1))
    assert (torn.outcome, torn.sides) == (Outcome.DISAGREE, ())
    assert torn.reason == "exit_waves, case even/0: the stacks are too far apart, each within its own bound"


@pytest.mark.parametrize(
    ("undecided", "outcome", "reason"),
    [
        (2, Outcome.AGREE, ""),
        (3, Outcome.UNDECIDED, "exit_waves in f64: 30.00% of the elements have no bound, quota 20.00%"),
    ],
)
def test_the_quota_of_undecided_elements(undecided, outcome, reason):
    judged = verdict(found(undecided=undecided), quota=Quota(undecided=0.2))
    assert (judged.outcome, judged.reason) == (outcome, reason)


def test_a_quota_is_of_one_quantity_in_one_precision():
    sharp = [found(case=f"even/{seed}", precision="f32") for seed in range(100)]
    blind = found(undecided=10)
    assert verdict(*sharp, blind, quota=Quota(undecided=0.5)).outcome is Outcome.UNDECIDED


SEES_NOTHING = "exit_waves in f64: 12.0% of the examples show nothing smaller than 1 %, quota 10.0%"


@pytest.mark.parametrize(
    ("blind", "outcome", "reason"), [(2, Outcome.AGREE, ""), (3, Outcome.UNINFORMATIVE, SEES_NOTHING)]
)
def test_the_quota_of_uninformative_examples(blind, outcome, reason):
    """25 examples of two stacks and their pairs: 2 are 8 %, 3 are 12 %; the quota is 10 %."""
    epsilons = [0.02 if seed < blind else 1e-6 for seed in range(25)]
    each = (both(0.5, 0.5, case=f"even/{seed}", epsilon=epsilon) for seed, epsilon in enumerate(epsilons))
    judged = verdict(*(measurement for measurements in each for measurement in measurements))
    assert (judged.outcome, judged.reason) == (outcome, reason)


def test_where_it_is_declared_an_example_informs_if_it_does_in_one_precision():
    blind = [found(case=f"even/{seed}", precision="f32", epsilon=0.02) for seed in range(9)]
    sharp = [found(case=f"even/{seed}", precision="f64", epsilon=1e-9) for seed in range(9)]
    declared = Quota(any_precision=True)
    assert verdict(*blind, *sharp).outcome is Outcome.UNINFORMATIVE
    assert verdict(*blind, quota=declared).outcome is Outcome.UNINFORMATIVE
    assert verdict(*blind, *sharp, quota=declared).outcome is Outcome.AGREE


def test_a_disagreement_outranks_what_cannot_be_said():
    assert verdict(found(ratio=2.0, undecided=9)).outcome is Outcome.DISAGREE


def test_the_gap_is_that_of_the_pairs_in_float64():
    measurements = (
        found(PAIR, gap=1e-15),
        found(PAIR, gap=3e-16, case="odd/0"),
        found(PAIR, gap=1e-7, precision="f32"),
        found(gap=0.5),
    )
    assert verdict(*measurements).gap == 1e-15
    assert verdict(*measurements[2:]).gap is None


def test_epsilon_is_of_the_least_sensitive_quantity_at_its_best_in_float32():
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

    def example(self, number: int) -> Measurement:
        value = FLOAT32.round(self._random.uniform(1, 2, 64)).astype(np.float64)
        oracle = Bounded(value, 40 * np.abs(value), FLOAT32)
        label = Label(CONTRACT, f"even/{number}", FLOAT32.name, result_of("exit_waves"))
        return measure(label, "torch", self._rounded(value, self._gain), oracle, self._rounded(value, 0.0))

    def _rounded(self, value: NDArray[np.float64], gain: float) -> NDArray[Any]:
        """The value as correct code would have it, some roundings away, and then with a gain."""
        roundings = self._random.uniform(-8, 8, value.shape) * FLOAT32.unit_roundoff
        return FLOAT32.round(value * (1 + roundings) * (1 + gain))


def pooled(gain: float, examples: int = 20) -> Verdict:
    simulated = Simulated(gain)
    return verdict(*(simulated.example(number) for number in range(examples)))


@pytest.mark.parametrize("gain", [1e-6, -1e-6])
def test_a_common_gain_that_no_example_shows_is_found_by_pooling(gain):
    judged = pooled(gain)
    assert judged.worst["torch"] < 1
    assert (judged.outcome, judged.sides, judged.failures) == (Outcome.DISAGREE, ("torch",), ())
    (found_gain,) = judged.gains
    assert found_gain.low < gain < found_gain.high
    assert judged.reason.startswith("torch: exit_waves has a common gain error between ")


def test_correct_rounding_has_no_common_gain():
    judged = pooled(0.0)
    assert judged.agrees
    assert judged.gains[0].agrees


def test_a_few_examples_show_a_common_gain_too_and_fewer_still_are_not_pooled():
    judged = pooled(1e-6, examples=POOLED_FROM)
    assert (judged.sides, judged.failures) == (("torch",), ())
    assert pooled(1e-6, examples=POOLED_FROM - 1).gains == ()


def test_the_fewer_the_examples_the_more_is_allowed():
    few, some, many = (pooled(0.0, examples=examples).gains[0].allowed for examples in (POOLED_FROM, 6, 20))
    assert few > some > many


@pytest.mark.parametrize("examples", [POOLED_FROM, 5, 6, 8, 20])
@pytest.mark.parametrize("scale", [1, 2])
def test_gains_without_a_common_sign_are_none_however_large(examples, scale):
    """Of correct code, whose gains may be twice as large as the witness's, and far larger than a rounding."""
    random = np.random.default_rng(examples)
    for _ in range(200):
        weights = 10 ** random.uniform(-2, 0, examples)
        noise = random.standard_normal((2, examples)) * np.sqrt(weights)
        gains = [(Gain(scale * s, w), Gain(t, w)) for s, t, w in zip(*noise, weights, strict=True)]
        each = (found("torch", f"even/{n}", "f32", gain=g, witness=w) for n, (g, w) in enumerate(gains))
        judged = verdict(*each)
        assert judged.agrees, judged.reason


def test_thousands_of_examples_are_pooled():
    measurement = Simulated(0.0).example(0)
    assert verdict(*[measurement] * 5000).agrees


def test_float64_is_not_pooled():
    label = Label(CONTRACT, "even/0", FLOAT64.name, result_of("exit_waves"))
    oracle = Bounded(np.ones(4), np.ones(4), FLOAT64)
    measurements = [measure(label, "torch", np.ones(4), oracle, np.ones(4))] * 20
    assert verdict(*measurements).gains == ()
