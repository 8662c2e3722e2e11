"""Each kind of divergence, played by an injected defect: accepted with its entry, and with that alone."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from parity.contracts.cases.case import forced, parse_case
from parity.contracts.changes import Arguments, given, returning
from parity.contracts.contract import Inputs
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.contracts.namespace import GROUP, Namespace, Tensor
from parity.faults.injection import injected
from parity.judging.divergences import (
    AnotherFormula,
    ConstantTerm,
    Difference,
    Divergence,
    Gauge,
    InexactArgument,
    KnownTerm,
    OwnRule,
    PositiveFactor,
    Reduction,
    SubDomain,
    registry,
)
from parity.judging.divergences.factors import To
from parity.judging.divergences.faults import measured_faults
from parity.judging.examine import examine
from parity.judging.measurement import PAIR, Measurement
from parity.judging.quantity import law_of, result_of, results_of
from parity.judging.verdict import Outcome, Verdict, judge
from parity.physics.oracle.operations import (
    absolute,
    digamma_plus_one,
    log,
    log_gamma_plus_one,
    mean,
    sqrt,
    square,
    total,
    values,
    where,
)
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.base import Framework

LATER = date(2999, 12, 31)
PHASE = 0.7
BEYOND = 64.0
"""Pixels from the corner of a canvas to a patch."""


def without_log_gamma(predicted: Any, observed: Any, full: bool) -> Any:
    """−Σ ln Γ(k+1): what a Poisson NLL lacks that leaves out its term in the counts alone."""
    return -total(log_gamma_plus_one(square(observed)), axis=(1, 2, 3)) if full else np.zeros(observed.shape[0])


def slope_of_log_gamma(cotangent: Any, predicted: Any, observed: Any, full: bool) -> Mapping[str, Any]:
    """And what the gradient of the counts lacks."""
    slope = -(2 * observed * digamma_plus_one(square(observed)))
    return {"observed": cotangent[:, None, None, None] * slope} if full else {}


def _dropped(xp: Namespace, nll: Tensor, a: Arguments) -> Tensor:
    return nll - xp.sum(xp.log_gamma(xp.square(a.observed) + 1), GROUP) if a.full else nll


def literal_nll(predicted: Any, observed: Any, full: bool) -> Any:
    """Σ λ − k·ln λ + ln Γ(k+1) as it stands: two large numbers, of which a small one is left."""
    rate, count = square(predicted), square(observed)
    constant = log_gamma_plus_one(count) if full else _times_log(count, count) - count
    return total(rate - _times_log(count, rate) + constant, axis=(1, 2, 3))


def literal_slopes(cotangent: Any, predicted: Any, observed: Any, full: bool) -> Mapping[str, Any]:
    """Its gradients, as it stands: 2Â − 2k/Â, and 2A·(ψ(k+1) − ln λ)."""
    w, count = cotangent[:, None, None, None], square(observed)
    lit = where(values(observed) > 0, predicted, 1.0)
    constant = digamma_plus_one(count) if full else _log_of_lit(count)
    of_observed = 2 * observed * (constant - _log_of_lit(square(predicted)))
    return {"predicted": w * (2 * predicted - 2 * count / lit), "observed": w * of_observed}


def _times_log(count: Any, rate: Any) -> Any:
    return where(values(count) > 0, count * _log_of_lit(rate), 0.0)


def _log_of_lit(rate: Any) -> Any:
    return log(where(values(rate) > 0, rate, 1.0))


def _literal(xp: Namespace, nll: Tensor, a: Arguments) -> Tensor:
    rate, count = xp.square(a.predicted), xp.square(a.observed)
    one, nothing = xp.ones_like(rate), xp.zeros_like(rate)

    def log_of_square(x: Tensor) -> Tensor:
        return 2 * xp.log(xp.where(x > 0, x, one))

    constant = xp.log_gamma(count + 1) if a.full else count * log_of_square(a.observed) - count
    return xp.sum(rate - xp.where(count > 0, count * log_of_square(a.predicted), nothing) + constant, GROUP)


def root_of_the_mean_square(predicted: Any, observed: Any) -> Any:
    """What stands in the place of the mean."""
    return sqrt(mean(square(predicted - observed)))


def its_slopes(cotangent: Any, predicted: Any, observed: Any) -> Mapping[str, Any]:
    """And what stands in the place of ±1."""
    gap = predicted - observed
    slope = cotangent * gap / (values(predicted).size * root_of_the_mean_square(predicted, observed))
    return {"predicted": slope, "observed": -slope}


def _root_of_squares(xp: Namespace, mae: Tensor, a: Arguments) -> Tensor:
    squares = xp.square(a.predicted - a.observed)
    return xp.sqrt(xp.sum(squares, (0, 1, 2, 3)) / xp.size(squares))


def _turned(xp: Namespace, field: Tensor, a: Arguments) -> Tensor:
    real, imaginary = xp.real(field), xp.imag(field)
    c, s = np.cos(PHASE), np.sin(PHASE)
    return xp.complex(c * real - s * imaginary, s * real + c * imaginary)


def _one_more_in_the_dark(xp: Namespace, error: Tensor, a: Arguments) -> Tensor:
    return error + xp.where(a.observed > 0, xp.zeros_like(error), xp.ones_like(error))


def lit(inputs: Inputs) -> Any:
    """Where something was counted."""
    return inputs["observed"] > 0


@dataclass(frozen=True)
class Played:
    """A divergence, the defect that plays it, and where a small gain on top is put."""

    defect: Fault
    kind: Difference
    low: float
    high: float
    breaks: tuple[str, ...] = ()
    on_top: str = ""

    def entry(self, stack: str, **changes: Any) -> Divergence:
        stated: dict[str, Any] = {"breaks": self.breaks, "expires": LATER, "reason": "because"}
        bounds = {"low": self.low, "high": self.high}
        return Divergence(self.defect.target, stack, self.kind, **{**bounds, **stated, **changes})

    @property
    def gain(self) -> Fault:
        """A gain of 1e-3 of an argument, besides."""
        return Fault(self.defect.target, "gain", "", given(**{self.on_top: lambda xp, x: xp.gain(x, 1e-3)}))


def _defect(target: str, change: Any) -> Fault:
    return Fault(target, "played", "plays a divergence", change)


ERROR, MAE, NLL = "losses.absolute_error", "losses.mae", "losses.poisson_nll"
ERROR_FACTS = tuple(fact.statement for fact in REGISTRY[ERROR].facts)

PLAYED = {
    "constant": Played(
        _defect(ERROR, returning(lambda xp, error, a: error + 0.25)),
        ConstantTerm(),
        0.249,
        0.251,
        ERROR_FACTS,
        on_top="predicted",
    ),
    "term": Played(
        _defect(NLL, returning(_dropped)), KnownTerm(without_log_gamma, slope_of_log_gamma), 1, 1, on_top="predicted"
    ),
    "formula": Played(
        _defect(NLL, returning(_literal)),
        AnotherFormula(literal_nll, literal_slopes),
        1,
        1e9,
        ("∂NLL/∂Â = 0 at Â = A",),
        on_top="predicted",
    ),
    "rule": Played(
        _defect(MAE, returning(_root_of_squares)),
        OwnRule(root_of_the_mean_square, its_slopes),
        0.1,
        10,
        on_top="predicted",
    ),
    "factor": Played(
        _defect(MAE, returning(lambda xp, mae, a: 3 * mae)), PositiveFactor(), 2.9999, 3.0001, on_top="predicted"
    ),
    "reduction": Played(
        _defect(MAE, returning(lambda xp, mae, a: mae * xp.size(a.predicted, GROUP))),
        Reduction("predicted", "CHW", To.SUM),
        64,
        2**16,
        on_top="predicted",
    ),
    "gauge": Played(
        _defect("optics.combine_complex", returning(_turned)), Gauge(), PHASE - 1e-4, PHASE + 1e-4, on_top="amplitude"
    ),
    "inexact": Played(
        _defect("patches.translate", given(positions=lambda xp, x: x + BEYOND - BEYOND)),
        InexactArgument("positions", "patches"),
        1e-3,
        BEYOND,
        on_top="patches",
    ),
    "domain": Played(
        _defect(ERROR, returning(_one_more_in_the_dark)), SubDomain(lit), 1e-12, np.inf, ERROR_FACTS, on_top="predicted"
    ),
}


@contextmanager
def made(stack: str, *defects: Fault) -> Iterator[None]:
    """Defects made in a stack, one on top of the other."""
    with ExitStack() as opened:
        for defect in defects:
            opened.enter_context(injected(defect, stack))
        yield


STRATA = ("even", "oblong", "single", "many", "dark", "faint", "wrapped", "bare")
"""Few, each of which some kind needs; those that a contract has of them."""


def examined(name: str, frameworks: tuple[Framework, ...], strata: tuple[str, ...] = STRATA) -> list[Measurement]:
    """Every measurement of some strata of a contract."""
    cases = [case for case in forced(REGISTRY[name]) if case.stratum.name in strata]
    return [m for case in cases for m in examine(case, frameworks, (FLOAT32, FLOAT64), with_facts=True)]


def judged(name: str, measurements: list[Measurement]) -> Verdict:
    return judge(name, measurements, REGISTRY[name].quota)


@pytest.fixture
def accept(monkeypatch) -> Any:
    """Accept entries, and nothing else."""
    return lambda *entries: monkeypatch.setattr(registry, "accepted_by", lambda folder: entries)


@pytest.mark.parametrize("stack", ["torch", "tensorflow"])
@pytest.mark.parametrize("kind", PLAYED)
def test_what_is_accepted_is_taken_off_and_measured(stacks, accept, kind, stack):
    played = PLAYED[kind]
    accept(played.entry(stack))
    with made(stack, played.defect):
        found = examined(played.defect.target, stacks)
    assert judged(played.defect.target, found).outcome is Outcome.AGREE
    sizes = [m.divergence for m in found if m.divergence is not None and m.quantity.text not in played.breaks]
    assert sizes
    assert {m.precision for m in found if m.divergence is not None} == {"f32", "f64"}
    assert all(played.low - 1e-6 <= size <= played.high + 1e-6 for size in sizes)
    assert {m.stack for m in found if m.divergence is not None} == {stack}
    assert all(m.agrees for m in found if m.stack == PAIR)
    assert measured_faults((played.entry(stack),), found, REGISTRY) == ()


@pytest.mark.parametrize("kind", PLAYED)
def test_without_its_entry_it_is_a_disagreement(stacks, accept, kind):
    played = PLAYED[kind]
    accept(replace(played.entry("tensorflow")))
    with made("torch", played.defect):
        verdict = judged(played.defect.target, examined(played.defect.target, stacks))
    assert verdict.outcome is Outcome.DISAGREE
    assert verdict.sides == ("torch",)


@pytest.mark.parametrize("kind", sorted(PLAYED.keys() - {"inexact"}))
def test_a_small_defect_besides_is_still_caught_by_the_bound(stacks, accept, kind):
    """Not by the interval, which is given up here."""
    played = PLAYED[kind]
    endless = {"low": -np.inf, "high": np.inf}
    accept(played.entry("torch", **endless))
    target, strata = played.defect.target, ("oblong", "many")
    with made("torch", played.defect, played.gain):
        found = [m for m in examined(target, stacks, strata) if m.quantity.text not in played.breaks]
    off = {m.quantity for m in found if m.stack == "torch" and m.divergence is not None and m.ratio > 1}
    assert off & set(results_of(REGISTRY[target]))
    assert not any(m.fault for m in found)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (AnotherFormula(lambda predicted, observed: 3 * mean(predicted)), "the formula <lambda> gives "),
        (AnotherFormula(lambda predicted, observed: predicted), "<lambda> gives mae in shape "),
        (OwnRule(lambda predicted, observed: 1 / 0), "<lambda> raised ZeroDivisionError: "),
        (OwnRule(lambda predicted, observed: (predicted, observed)), "<lambda> returned 2 results, expected 1"),
    ],
)
def test_a_formula_that_gives_something_else_is_the_fault_of_its_entry(stacks, accept, kind, said):
    entry = Divergence(MAE, "torch", kind, 1e-9, 1e9, "because", LATER)
    accept(entry)
    with made("torch", PLAYED["factor"].defect):
        found = examined(MAE, stacks, ("even",))
    (fault, *_) = {m.fault for m in found if m.fault}
    assert fault.startswith(said)
    assert f"{entry.title}: {fault} in mae of case even/0 in f" in measured_faults((entry,), found, REGISTRY)[0]


def test_a_rule_that_is_the_contracts_own_never_shows(stacks, accept):
    rule = OwnRule(lambda predicted, observed: mean(absolute(predicted - observed)))
    accept(Divergence(MAE, "torch", rule, 1e-9, 1, "because", LATER))
    with made("torch", PLAYED["factor"].defect):
        found = examined(MAE, stacks, ("even",))
    assert all(m.divergence is None for m in found)
    assert {m.stack for m in found if not m.agrees and m.stack != PAIR} == {"torch"}


def test_no_lack_of_digits_explains_a_gain(stacks, accept):
    played = PLAYED["inexact"]
    accept(played.entry("torch", low=-np.inf, high=np.inf))
    with made("torch", played.gain):
        found = [m for m in examined(played.defect.target, stacks, ("oblong",)) if m.precision == "f64"]
    off = {m.quantity for m in found if m.stack == "torch" and m.divergence is None and m.ratio > 1}
    assert off >= set(results_of(REGISTRY[played.defect.target]))


def test_a_gain_of_everything_alike_is_caught_by_the_interval(stacks, accept):
    played = PLAYED["factor"]
    accept(played.entry("torch"))
    gain = Fault(MAE, "gain", "", returning(lambda xp, mae, a: xp.gain(mae, 1e-3)))
    with made("torch", played.defect, gain):
        verdict = judged(MAE, examined(MAE, stacks, ("even",)))
    assert verdict.sides == ("torch",)
    assert verdict.failures[0].fault == (
        "its accepted divergence (PositiveFactor) measures 3.003, expected 2.9999 to 3.0001"
    )


def test_one_number_fitted_to_one_element_shows_what_the_interval_leaves(stacks, accept):
    defect = _defect(MAE, returning(lambda xp, mae, a: mae + 0.25))
    facts = tuple(fact.statement for fact in REGISTRY[MAE].facts)
    outcomes = []
    for low, high in ((0.2499, 0.2501), (0.01, 1e9)):
        accept(Divergence(MAE, "torch", ConstantTerm(), low, high, "because", LATER, breaks=facts))
        with made("torch", defect):
            outcomes.append(judged(MAE, examined(MAE, stacks, ("even", "many"))).outcome)
    assert outcomes == [Outcome.AGREE, Outcome.UNINFORMATIVE]


def test_a_constant_is_measured_for_each_element_of_an_argument(stacks, accept):
    accept(Divergence(NLL, "torch", ConstantTerm(per="observed"), 0.09, 0.11, "because", LATER))
    change = returning(lambda xp, nll, a: nll + 0.1 * xp.size(a.observed, (0, 1, 2, 3)))
    with made("torch", _defect(NLL, change)):
        found = examined(NLL, stacks, ("many",))
    sizes = [m.divergence for m in found if m.divergence is not None and m.precision == "f64"]
    assert sizes == pytest.approx([0.1] * len(sizes), rel=1e-6)
    assert len(sizes) == 3  # the function, and two classes around it
    assert all(m.agrees for m in found)


def test_what_is_outside_may_be_anything_and_is_not_counted(stacks, accept):
    def unlit(xp: Namespace, error: Tensor, a: Arguments) -> Tensor:
        return xp.where(a.observed > 0, error, xp.log(-1 - xp.zeros_like(error)))

    accept(Divergence(ERROR, "torch", SubDomain(lit), 1e-9, np.inf, "because", LATER, breaks=ERROR_FACTS))
    with made("torch", _defect(ERROR, returning(unlit))):
        found = examined(ERROR, stacks, ("dark",))
    taken = [m for m in found if m.quantity == result_of("error") and m.divergence is not None]
    assert {m.divergence for m in taken} == {np.inf}
    pairs = [m for m in found if m.quantity == result_of("error") and m.stack == PAIR]
    for m in (*taken, *pairs):
        whole = next(
            o for o in found if (o.quantity, o.stack, o.precision) == (result_of("error"), "tensorflow", m.precision)
        )
        assert 0 < m.elements < whole.elements
        assert m.undecided == 0
        assert m.agrees


def test_an_entry_may_be_of_one_public_name_alone(stacks, accept):
    defect = Fault(ERROR, "played", "", returning(lambda xp, error, a: error + 0.25), at="model.absolute_error")
    played = PLAYED["constant"]
    for names, agrees in ((("model.MAELoss",), True), (("losses.absolute_error",), False)):
        accept(played.entry("torch", names=names, breaks=()))
        with made("torch", replace(defect, stacks=("torch",))):
            found = examined(ERROR, stacks, ("even",))
        assert all(m.agrees for m in found) is agrees


def test_what_is_as_small_as_its_own_rounding_is_still_taken_off(stacks, accept):
    far_field = REGISTRY["optics.far_field_amplitude"]
    case = parse_case(far_field, "even/5")
    defect = _defect(far_field.name, returning(lambda xp, amplitude, a: amplitude + 0.25))
    outcomes = []
    for entries in ((), (Divergence(far_field.name, "torch", ConstantTerm(), 0.24, 0.26, "because", LATER),)):
        accept(*entries)
        with made("torch", defect):
            (found,) = (m for m in examine(case, stacks[:1], (FLOAT32,)) if m.quantity == result_of("amplitude"))
        outcomes.append((found.agrees, found.ratio < 2))
    assert outcomes == [(False, True), (True, True)]


def test_only_the_strata_of_an_entry_are_accepted(stacks, accept):
    played = PLAYED["factor"]
    accept(played.entry("torch", strata=("odd",)))
    with made("torch", played.defect):
        found = [m for m in examined(MAE, stacks, ("even", "odd")) if m.stack == "torch"]
    assert {m.case for m in found if not m.agrees} == {"even/0"}


def test_a_fact_that_is_not_said_to_break_must_hold(stacks, accept):
    played = PLAYED["constant"]
    accept(played.entry("torch", breaks=ERROR_FACTS[:1]))
    with made("torch", played.defect):
        found = examined(ERROR, stacks, ("even",))
    assert {m.quantity for m in found if not m.agrees} == {law_of(ERROR_FACTS[1])}


def test_a_stack_that_is_right_is_judged_as_it_is(stacks, accept):
    accept(*(played.entry("torch") for key, played in PLAYED.items() if key != "domain"))
    for name in (MAE, ERROR, NLL):
        found = examined(name, stacks, ("even", "single"))
        assert all(m.agrees and m.divergence is None for m in found)
