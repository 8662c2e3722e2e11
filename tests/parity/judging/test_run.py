"""Contracts × cases × precisions × stacks: what is measured, on stacks that need no framework.

The oracle's own functions serve as a stack: in float64 they are a third correct implementation.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity._ground.errors import UsageError
from parity.contracts.cases.case import Case, forced
from parity.contracts.cases.datasets import read_dataset
from parity.contracts.contract import Contract, Entry
from parity.contracts.declared import REGISTRY
from parity.judging.examine import examine
from parity.judging.measurement import PAIR
from parity.judging.run import Plan, judged, run
from parity.judging.verdict import Outcome
from parity.physics.oracle import losses
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.base import Awaited, Framework, Returned, Stack, StackError
from parity.stacks.here import Here
from parity.stacks.worker import Call, Question, Results
from tests.skips import NEURALOPERATOR

MAE, FAR_FIELD, COUNT = (
    REGISTRY[name] for name in ("losses.mae", "optics.far_field_amplitude", "scaling.count_photons")
)


class OracleEngine:
    """Calls the oracle's functions; `error` is their gain error."""

    version, threads = np.__version__, "1"

    def __init__(self, error: float, raises: Exception | None) -> None:
        self._error, self._raises = error, raises

    def ready(self, function: Callable[..., Any], question: Question) -> Call:
        tensors = {a: x.astype(np.float64) if x.dtype.kind == "u" else x for a, x in question.tensors.items()}
        wide = {**tensors, **question.constants}

        def call() -> Results:
            if self._raises:
                raise self._raises
            vjp = REGISTRY[question.contract].oracle_vjp()
            gradients = vjp(*question.cotangents, **wide) if question.cotangents else ()
            return [function(**wide) * (1 + self._error)], gradients

        return call

    def array(self, tensor: Any) -> NDArray[Any]:
        return np.asarray(tensor)


class Oracle(Here):
    """A stack made of the oracle's functions, under the name of any package there is."""

    def __init__(self, name: str, error: float = 0.0, raises: Exception | None = None) -> None:
        Framework.__init__(self, Stack(name, name, "parity.physics.oracle"), "eager", "cpu")
        self._engine = OracleEngine(error, raises)


class Late(Oracle):
    """The same, but it says that it has answered only when `is_answered` does; `asked` are those before each answer."""

    def __init__(self, name: str, is_answered: Callable[[], bool]) -> None:
        super().__init__(name)
        self._is_answered = is_answered
        self._begun = 0
        self.asked: list[int] = []

    def _begin(self, contract: Contract, question: Question, *, urgent: bool) -> Awaited[Returned]:
        self._begun += 1

        def answer() -> Returned:
            self.asked.append(self._begun)
            return self._returned(contract, question)

        return Awaited(answer, self._is_answered)


ONE, OTHER = Oracle("json"), Oracle("csv")


CASE = Case(MAE, MAE.strata[0], 0)
QUANTITIES = {"mae", "∂/∂predicted", "∂/∂observed"}


@pytest.mark.parametrize(("stacks", "of"), [((ONE,), {"json"}), ((ONE, OTHER), {"json", "csv", PAIR})])
def test_each_stack_is_measured_in_each_precision_and_two_against_each_other(stacks, of):
    found = {(m.stack, m.precision, m.quantity.text) for m in examine(CASE, stacks, (FLOAT32, FLOAT64))}
    assert found == {*itertools.product(of, ("f32", "f64"), QUANTITIES)}


def test_facts_are_asked_for():
    found = {m.quantity.text for m in examine(CASE, (ONE,), (FLOAT64,), with_facts=True)}
    assert found == QUANTITIES | {fact.statement for fact in MAE.facts}


def test_readings_are_tried_in_float64_without_gradients():
    case = Case(COUNT, COUNT.stratum("readings"), 0)
    found = examine(case, (ONE, OTHER), (FLOAT32, FLOAT64))
    assert {(m.precision, m.quantity.text) for m in found} == {("f64", "photons")}
    assert all(m.agrees for m in found)


def test_a_stack_that_raises_is_at_fault_and_the_other_is_still_measured():
    found = examine(CASE, (Oracle("json", raises=StackError("raised ValueError: no")), OTHER), (FLOAT64,))
    (fault,) = (m for m in found if m.stack == "json")
    assert fault.fault == "raised ValueError: no"
    assert all(m.agrees for m in found if m.stack == "csv")
    assert {m.stack for m in found} == {"json", "csv"}


def test_a_fault_of_the_harness_is_not_blamed_on_the_stack():
    with pytest.raises(ZeroDivisionError):
        examine(CASE, (Oracle("json", raises=ZeroDivisionError()),), (FLOAT64,))


def entry_of(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], **when: Any) -> Contract:
    """The contract, with another name for a function that stands for its own."""
    monkeypatch.setattr(losses, "Layer", function, raising=False)
    call = lambda layer, predicted, observed: layer(predicted, observed)  # noqa: E731
    return replace(MAE, entries=(Entry("json", "losses.Layer", call, **when),), facts=())


def test_other_names_for_the_function_are_held_to_the_same_oracle(monkeypatch):
    right = losses.mae
    wide_alone = {"applies": lambda inputs: inputs["predicted"].shape[-1] > 8}
    contract = entry_of(monkeypatch, lambda predicted, observed: 2 * right(predicted, observed), **wide_alone)
    small, wide = (examine(Case(contract, contract.stratum("even"), s), (ONE, OTHER), (FLOAT64,)) for s in (0, 1))
    assert all(m.agrees for m in small)
    assert {(m.stack, m.quantity.text) for m in wide if not m.agrees} == {("json", "mae of losses.Layer")}


def test_another_name_is_asked_in_the_precisions_that_it_has(monkeypatch):
    contract = entry_of(monkeypatch, losses.mae, precisions=(FLOAT32,))
    found = examine(Case(contract, contract.stratum("even"), 0), (ONE, OTHER), (FLOAT32, FLOAT64))
    assert {m.precision for m in found if m.quantity.entry == "losses.Layer"} == {"f32"}


def test_neuraloperator_is_held_to_the_oracle_where_it_is_installed(stacks):
    pytest.importorskip("neuralop", reason=NEURALOPERATOR.reason)
    contract = REGISTRY["networks.spectral_convolve"]
    peer = "generators.fno.SpectralConv"
    for stratum, tried in (("even", 3), ("odd", 0)):
        found = examine(Case(contract, contract.stratum(stratum), 0), stacks, (FLOAT32, FLOAT64))
        assert all(m.agrees for m in found)
        assert sum(m.quantity.entry == peer for m in found) == tried


def test_a_run_tries_the_strata_and_so_many_examples_of_each_contract_in_turn():
    plan = Plan((MAE, FAR_FIELD), examples=3, precisions=(FLOAT64,))
    done: list[Case] = []
    runs = list(run(plan, (ONE, OTHER), done.append))
    assert [r.verdict.contract for r in runs] == [MAE.name, FAR_FIELD.name]
    assert done == [*plan.cases(MAE), *plan.cases(FAR_FIELD)]
    for contract, result in zip(plan.contracts, runs, strict=True):
        assert result.verdict.outcome is Outcome.AGREE
        assert result.verdict.examples == len(contract.strata) + 3
        assert result.verdict.epsilon < 1e-13
        assert result.seconds > 0


@pytest.mark.parametrize("ahead", [0, 10**5, 2**25])
@pytest.mark.parametrize("answered", [[False], [True, False, False], [True]], ids=["at last", "at times", "at once"])
def test_the_order_of_what_is_measured_is_the_same_however_late_a_stack_answers(monkeypatch, answered, ahead):
    plan = Plan((MAE, FAR_FIELD, COUNT), examples=2)
    done: list[Case] = []
    expected = [judged(result).measurements for result in run(plan, (ONE, OTHER))]
    monkeypatch.setattr("parity.judging.run.AHEAD", ahead)
    late = Late("csv", partial(next, itertools.cycle(answered)))
    found = [judged(result) for result in run(plan, (ONE, late), done.append)]
    assert [repr(one.measurements) for one in found] == [repr(one) for one in expected]
    assert [one.verdict.contract for one in found] == [contract.name for contract in plan.contracts]
    assert done == [case for contract in plan.contracts for case in plan.cases(contract)]


def test_the_oracle_goes_on_while_a_stack_has_not_answered():
    plan = Plan((replace(MAE, facts=()), replace(FAR_FIELD, facts=())), examples=0, precisions=(FLOAT64,))
    late = Late("csv", lambda: False)
    list(run(plan, (late,)))
    assert late.asked[0] == len(late.asked) == sum(len(plan.cases(contract)) for contract in plan.contracts)


def test_facts_are_tried_on_the_strata_and_on_a_case_that_was_asked_for():
    def cases_with_facts(plan: Plan) -> set[str]:
        (result,) = run(plan, (ONE,))
        return {m.case for m in result.measurements if m.quantity.text in {fact.statement for fact in MAE.facts}}

    everything = Plan((MAE,), examples=2, precisions=(FLOAT64,))
    assert cases_with_facts(everything) == {case.name for case in forced(MAE)}
    assert cases_with_facts(replace(everything, case="odd/17")) == {"odd/17"}


@pytest.mark.parametrize(
    ("error", "other", "sides"), [(1e-12, OTHER, {"json"}), (1e-3, Oracle("csv", error=1e-3), {"json", "csv"})]
)
def test_wrong_stacks_are_named_and_whether_they_are_wrong_alike(error, other, sides):
    (result,) = run(Plan((MAE,), examples=0, precisions=(FLOAT64,)), (Oracle("json", error=error), other))
    assert result.verdict.outcome is Outcome.DISAGREE
    assert set(result.verdict.sides) == sides
    assert result.verdict.alike is (len(sides) > 1)


def test_a_data_set_is_a_stratum_of_its_own(tmp_path):
    random = np.random.default_rng(1)
    np.savez(
        tmp_path / "scan.npz",
        diffraction=random.uniform(0, 9, (4, 8, 8)),
        probeGuess=random.standard_normal((8, 8)) + 0j,
        xcoords=np.arange(4.0),
        ycoords=np.arange(4.0),
    )
    plan = Plan((MAE,), examples=2, precisions=(FLOAT64,), dataset=read_dataset(tmp_path / "scan.npz"))
    (result,) = run(plan, (ONE, OTHER))
    assert result.verdict.agrees
    assert {m.case for m in result.measurements} == {"measured/0", "measured/1", "measured/2"}


def test_a_plan_for_a_case_that_no_contract_has():
    with pytest.raises(UsageError, match=r"^unknown stratum 'wrapped' of losses\.mae"):
        list(run(Plan((MAE,), case="wrapped/0"), (ONE,)))
