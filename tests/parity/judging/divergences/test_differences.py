"""Each kind of divergence, played by an injected defect: accepted with its entry, and with that alone."""

from collections.abc import Iterator, Mapping, Sequence
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
from parity.physics.oracle import operations as ops
from parity.physics.precision import FLOAT32, FLOAT64

LATER = date(2999, 12, 31)
ERROR, MAE, NLL = "losses.absolute_error", "losses.mae", "losses.poisson_nll"
FACTS = {name: tuple(fact.statement for fact in REGISTRY[name].facts) for name in (ERROR, MAE)}
PHASE = 0.7
BEYOND = 64.0
"""Pixels from the corner of a canvas to a patch."""


def without_log_gamma(predicted: Any, observed: Any, full: bool) -> Any:
    """−Σ ln Γ(k+1): what a Poisson NLL lacks that leaves out its term in the counts alone."""
    return (
        -ops.total(ops.log_gamma_plus_one(ops.square(observed)), axis=(1, 2, 3))
        if full
        else np.zeros(observed.shape[0])
    )


def slope_of_log_gamma(cotangent: Any, predicted: Any, observed: Any, full: bool) -> Mapping[str, Any]:
    """And what the gradient of the counts lacks."""
    slope = -(2 * observed * ops.digamma_plus_one(ops.square(observed)))
    return {"observed": cotangent[:, None, None, None] * slope} if full else {}


def _dropped(xp: Namespace, nll: Tensor, a: Arguments) -> Tensor:
    return nll - xp.sum(xp.log_gamma(xp.square(a.observed) + 1), GROUP) if a.full else nll


def literal_nll(predicted: Any, observed: Any, full: bool) -> Any:
    """Σ λ − k·ln λ + ln Γ(k+1) as it stands: two large numbers, of which a small one is left."""
    rate, count = ops.square(predicted), ops.square(observed)
    constant = ops.log_gamma_plus_one(count) if full else _times_log(count, count) - count
    return ops.total(rate - _times_log(count, rate) + constant, axis=(1, 2, 3))


def literal_slopes(cotangent: Any, predicted: Any, observed: Any, full: bool) -> Mapping[str, Any]:
    """Its gradients, as it stands: 2Â − 2k/Â, and 2A·(ψ(k+1) − ln λ)."""
    w, count = cotangent[:, None, None, None], ops.square(observed)
    lit = ops.where(ops.values(observed) > 0, predicted, 1.0)
    constant = ops.digamma_plus_one(count) if full else _log_of_lit(count)
    of_observed = 2 * observed * (constant - _log_of_lit(ops.square(predicted)))
    return {"predicted": w * (2 * predicted - 2 * count / lit), "observed": w * of_observed}


def _times_log(count: Any, rate: Any) -> Any:
    return ops.where(ops.values(count) > 0, count * _log_of_lit(rate), 0.0)


def _log_of_lit(rate: Any) -> Any:
    return ops.log(ops.where(ops.values(rate) > 0, rate, 1.0))


def _literal(xp: Namespace, nll: Tensor, a: Arguments) -> Tensor:
    rate, count = xp.square(a.predicted), xp.square(a.observed)
    one, nothing = xp.ones_like(rate), xp.zeros_like(rate)

    def log_of_square(x: Tensor) -> Tensor:
        return 2 * xp.log(xp.where(x > 0, x, one))

    constant = xp.log_gamma(count + 1) if a.full else count * log_of_square(a.observed) - count
    return xp.sum(rate - xp.where(count > 0, count * log_of_square(a.predicted), nothing) + constant, GROUP)


def root_of_the_mean_square(predicted: Any, observed: Any) -> Any:
    """What stands in the place of the mean."""
    return ops.sqrt(ops.mean(ops.square(predicted - observed)))


def its_slopes(cotangent: Any, predicted: Any, observed: Any) -> Mapping[str, Any]:
    """And what stands in the place of ±1."""
    gap = predicted - observed
    slope = cotangent * gap / (ops.values(predicted).size * root_of_the_mean_square(predicted, observed))
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
    """A divergence, the change of a function that plays it, and the argument whose small gain is put on top."""

    target: str
    change: Any
    kind: Difference
    low: float
    high: float
    breaks: tuple[str, ...] = ()
    on_top: str = "predicted"

    @property
    def defect(self) -> Fault:
        return defect(self.target, self.change)

    @property
    def gain(self) -> Fault:
        """A gain of 1e-3 of an argument, besides."""
        return defect(self.target, given(**{self.on_top: lambda xp, x: xp.gain(x, 1e-3)}))

    def entry(self, stack: str = "torch", **changes: Any) -> Divergence:
        made = entry(self.target, self.kind, self.low, self.high, breaks=self.breaks)
        return replace(made, stack=stack, **changes)


def defect(target: str, change: Any) -> Fault:
    return Fault(target, "played", "plays a divergence", change)


def entry(target: str, kind: Difference, low: float, high: float, **more: Any) -> Divergence:
    return Divergence(target, "torch", kind, low, high, "because", LATER, **more)


def _plus(constant: float) -> Any:
    return returning(lambda xp, x, a: x + constant)


TO_A_SUM = returning(lambda xp, mae, a: mae * xp.size(a.predicted, GROUP))
TRIPLED = returning(lambda xp, mae, a: 3 * mae)
ROUNDED = given(positions=lambda xp, x: x + BEYOND - BEYOND)
LITERAL = AnotherFormula(literal_nll, literal_slopes)

PLAYED = {
    "constant": Played(ERROR, _plus(0.25), ConstantTerm(), 0.249, 0.251, FACTS[ERROR]),
    "term": Played(NLL, returning(_dropped), KnownTerm(without_log_gamma, slope_of_log_gamma), 1, 1),
    "formula": Played(NLL, returning(_literal), LITERAL, 1, 1e9, ("∂NLL/∂Â = 0 at Â = A",)),
    "rule": Played(MAE, returning(_root_of_squares), OwnRule(root_of_the_mean_square, its_slopes), 0.1, 10),
    "factor": Played(MAE, TRIPLED, PositiveFactor(), 2.9999, 3.0001),
    "reduction": Played(MAE, TO_A_SUM, Reduction("predicted", "CHW", To.SUM), 64, 2**16),
    "gauge": Played(
        "optics.combine_complex", returning(_turned), Gauge(), PHASE - 1e-4, PHASE + 1e-4, on_top="amplitude"
    ),
    "inexact": Played(
        "patches.translate", ROUNDED, InexactArgument("positions", "patches"), 1e-3, BEYOND, on_top="patches"
    ),
    "domain": Played(ERROR, returning(_one_more_in_the_dark), SubDomain(lit), 1e-12, np.inf, FACTS[ERROR]),
}


@contextmanager
def made(stack: str, *defects: Fault) -> Iterator[None]:
    """Defects made in a stack, one on top of the other."""
    with ExitStack() as opened:
        for one in defects:
            opened.enter_context(injected(one, stack))
        yield


STRATA = ("even", "oblong", "single", "many", "dark", "faint", "wrapped", "bare")
"""Few, each of which some kind needs; those that a contract has of them."""


@pytest.fixture
def examined(stacks, monkeypatch):
    """Every measurement of some strata of a contract, with these entries accepted alone and these defects made."""

    def found(
        name: str,
        entries: Sequence[Divergence],
        *defects: Fault,
        stack: str = "torch",
        strata: tuple[str, ...] = STRATA,
    ) -> list[Measurement]:
        monkeypatch.setattr(registry, "accepted_by", lambda folder: tuple(entries))
        cases = [case for case in forced(REGISTRY[name]) if case.stratum.name in strata]
        with made(stack, *defects):
            return [m for case in cases for m in examine(case, stacks, (FLOAT32, FLOAT64), with_facts=True)]

    return found


def judged(name: str, measurements: list[Measurement]) -> Verdict:
    return judge(name, measurements, REGISTRY[name].quota)


@pytest.mark.parametrize("stack", ["torch", "tensorflow"])
@pytest.mark.parametrize("played", PLAYED.values(), ids=list(PLAYED))
def test_what_is_accepted_is_taken_off_and_measured(examined, played, stack):
    entry = played.entry(stack)
    found = examined(played.target, [entry], played.defect, stack=stack)
    assert judged(played.target, found).outcome is Outcome.AGREE
    taken_off = [m for m in found if m.divergence is not None]
    sizes = [m.divergence for m in taken_off if m.quantity.text not in played.breaks]
    assert sizes
    assert all(played.low - 1e-6 <= size <= played.high + 1e-6 for size in sizes)
    assert {(m.stack, m.precision) for m in taken_off} == {(stack, "f32"), (stack, "f64")}
    assert all(m.agrees for m in found if m.stack == PAIR)
    assert measured_faults((entry,), found, REGISTRY) == ()


@pytest.mark.parametrize("played", PLAYED.values(), ids=list(PLAYED))
def test_without_its_entry_it_is_a_disagreement(examined, played):
    verdict = judged(played.target, examined(played.target, [played.entry("tensorflow")], played.defect))
    assert (verdict.outcome, verdict.sides) == (Outcome.DISAGREE, ("torch",))


@pytest.mark.parametrize("kind", sorted(PLAYED.keys() - {"inexact"}))
def test_a_small_defect_besides_is_still_caught_by_the_bound(examined, kind):
    """Not by the interval, which is given up here."""
    played = PLAYED[kind]
    endless = played.entry(low=-np.inf, high=np.inf)
    everything = examined(played.target, [endless], played.defect, played.gain, strata=("oblong", "many"))
    found = [m for m in everything if m.quantity.text not in played.breaks]
    off = {m.quantity for m in found if m.stack == "torch" and m.divergence is not None and m.ratio > 1}
    assert off & set(results_of(REGISTRY[played.target]))
    assert not any(m.fault for m in found)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (AnotherFormula(lambda predicted, observed: 3 * ops.mean(predicted)), "the formula <lambda> gives "),
        (AnotherFormula(lambda predicted, observed: predicted), "<lambda> gives mae in shape "),
        (OwnRule(lambda predicted, observed: 1 / 0), "<lambda> raised ZeroDivisionError: "),
        (OwnRule(lambda predicted, observed: (predicted, observed)), "<lambda> returned 2 results, expected 1"),
    ],
)
def test_a_formula_that_gives_something_else_is_the_fault_of_its_entry(examined, kind, said):
    given_up = entry(MAE, kind, 1e-9, 1e9)
    found = examined(MAE, [given_up], PLAYED["factor"].defect, strata=("even",))
    (fault, *_) = {m.fault for m in found if m.fault}
    assert fault.startswith(said)
    assert f"{given_up.title}: {fault} in mae of case even/0 in f" in measured_faults((given_up,), found, REGISTRY)[0]


def test_a_rule_that_is_the_contracts_own_never_shows(examined):
    rule = OwnRule(lambda predicted, observed: ops.mean(ops.absolute(predicted - observed)))
    found = examined(MAE, [entry(MAE, rule, 1e-9, 1)], PLAYED["factor"].defect, strata=("even",))
    assert all(m.divergence is None for m in found)
    assert {m.stack for m in found if not m.agrees and m.stack != PAIR} == {"torch"}


def test_no_lack_of_digits_explains_a_gain(examined):
    played = PLAYED["inexact"]
    found = examined(played.target, [played.entry(low=-np.inf, high=np.inf)], played.gain, strata=("oblong",))
    own = [m for m in found if (m.stack, m.precision) == ("torch", "f64")]
    assert {m.quantity for m in own if m.divergence is None and m.ratio > 1} >= {*results_of(REGISTRY[played.target])}


def test_a_gain_of_everything_alike_is_caught_by_the_interval(examined):
    gain = defect(MAE, returning(lambda xp, mae, a: xp.gain(mae, 1e-3)))
    verdict = judged(MAE, examined(MAE, [PLAYED["factor"].entry()], PLAYED["factor"].defect, gain, strata=("even",)))
    assert verdict.sides == ("torch",)
    said = "its accepted divergence (PositiveFactor) measures 3.003, expected 2.9999 to 3.0001"
    assert verdict.failures[0].fault == said


@pytest.mark.parametrize(("low", "high", "outcome"), [(0.2499, 0.2501, "AGREE"), (0.01, 1e9, "UNINFORMATIVE")])
def test_one_number_fitted_to_one_element_shows_what_the_interval_leaves(examined, low, high, outcome):
    constant = entry(MAE, ConstantTerm(), low, high, breaks=FACTS[MAE])
    found = examined(MAE, [constant], defect(MAE, _plus(0.25)), strata=("even", "many"))
    assert judged(MAE, found).outcome is Outcome[outcome]


def test_a_constant_is_measured_for_each_element_of_an_argument(examined):
    change = returning(lambda xp, nll, a: nll + 0.1 * xp.size(a.observed, (0, 1, 2, 3)))
    constant = entry(NLL, ConstantTerm(per="observed"), 0.09, 0.11)
    found = examined(NLL, [constant], defect(NLL, change), strata=("many",))
    sizes = [m.divergence for m in found if m.divergence is not None and m.precision == "f64"]
    assert sizes == pytest.approx([0.1] * 3, rel=1e-6)  # the function, and two classes around it
    assert all(m.agrees for m in found)


def test_what_is_outside_may_be_anything_and_is_not_counted(examined):
    unlit = returning(lambda xp, error, a: xp.where(a.observed > 0, error, xp.log(-1 - xp.zeros_like(error))))
    domain = entry(ERROR, SubDomain(lit), 1e-9, np.inf, breaks=FACTS[ERROR])
    everything = examined(ERROR, [domain], defect(ERROR, unlit), strata=("dark",))
    found = [m for m in everything if m.quantity == result_of("error")]
    taken = [m for m in found if m.divergence is not None]
    assert {m.divergence for m in taken} == {np.inf}
    whole = {m.precision: m.elements for m in found if m.stack == "tensorflow"}
    for m in (*taken, *(m for m in found if m.stack == PAIR)):
        assert 0 < m.elements < whole[m.precision]
        assert (m.undecided, m.agrees) == (0, True)


@pytest.mark.parametrize(("name", "agrees"), [("model.MAELoss", True), ("losses.absolute_error", False)])
def test_an_entry_may_be_of_one_public_name_alone(examined, name, agrees):
    of_a_class = replace(defect(ERROR, _plus(0.25)), at="model.absolute_error", stacks=("torch",))
    accepted = PLAYED["constant"].entry(names=(name,), breaks=())
    assert all(m.agrees for m in examined(ERROR, [accepted], of_a_class, strata=("even",))) is agrees


def test_what_is_as_small_as_its_own_rounding_is_still_taken_off(stacks, monkeypatch):
    far_field = REGISTRY["optics.far_field_amplitude"]
    outcomes = []
    for entries in ((), (entry(far_field.name, ConstantTerm(), 0.24, 0.26),)):
        monkeypatch.setattr(registry, "accepted_by", lambda folder, entries=entries: entries)
        with made("torch", defect(far_field.name, _plus(0.25))):
            found = examine(parse_case(far_field, "even/5"), stacks[:1], (FLOAT32,))
        (amplitude,) = (m for m in found if m.quantity == result_of("amplitude"))
        outcomes.append((amplitude.agrees, amplitude.ratio < 2))
    assert outcomes == [(False, True), (True, True)]


def test_only_the_strata_of_an_entry_are_accepted(examined):
    of_odd = PLAYED["factor"].entry(strata=("odd",))
    found = examined(MAE, [of_odd], PLAYED["factor"].defect, strata=("even", "odd"))
    assert {m.case for m in found if m.stack == "torch" and not m.agrees} == {"even/0"}


def test_a_fact_that_is_not_said_to_break_must_hold(examined):
    breaks_one = PLAYED["constant"].entry(breaks=FACTS[ERROR][:1])
    found = examined(ERROR, [breaks_one], PLAYED["constant"].defect, strata=("even",))
    assert {m.quantity for m in found if not m.agrees} == {law_of(FACTS[ERROR][1])}


def test_a_stack_that_is_right_is_judged_as_it_is(examined):
    entries = [played.entry() for key, played in PLAYED.items() if key != "domain"]
    for name in (MAE, ERROR, NLL):
        found = examined(name, entries, strata=("even", "single"))
        assert all(m.agrees and m.divergence is None for m in found)
