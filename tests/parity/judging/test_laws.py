"""Unit facts: each declared one holds in both stacks, and breaks where the stack does."""

from dataclasses import replace

import pytest

from parity.contracts.cases.case import Case, forced
from parity.contracts.changes import returning
from parity.contracts.contract import Contract, Fact, Inputs, Law, Trial
from parity.contracts.declared import REGISTRY
from parity.contracts.declared.batch import batch_facts
from parity.contracts.fault import Fault
from parity.faults import KNOWN
from parity.faults.injection import injected
from parity.judging.laws import examine_facts
from parity.judging.measurement import Measurement
from parity.judging.quantity import law_of
from parity.physics.precision import FLOAT64, PRECISIONS, Precision
from parity.stacks.base import Framework

Stacks = tuple[Framework, ...]

FACTS = [(contract.name, fact.statement) for contract in REGISTRY.values() for fact in contract.facts]
OF_A_BATCH = [fact.statement for fact in batch_facts("patches")]
BATCHED = [name for name, statement in FACTS if statement == OF_A_BATCH[0]]


def of_name(stacks: Stacks, name: str) -> Framework:
    return next(stack for stack in stacks if stack.name == name)


def telling_cases(contract: Contract, *statements: str) -> list[Case]:
    """As few cases as will do for these laws, or for all, to say something; of many groups where there are such."""
    left = {fact.statement for fact in contract.facts if not statements or fact.statement in statements}
    chosen: list[Case] = []
    cases = sorted(forced(contract), key=lambda case: case.stratum.name != "many")
    applying = [(case, {fact.statement for fact in contract.facts if fact.applies(case.inputs())}) for case in cases]
    while left:
        case, applies = max(applying, key=lambda found: len(found[1] & left))
        if not applies & left:
            raise LookupError(f"{contract.name} has no stratum in which {left} say anything")
        chosen.append(case)
        left -= applies
    return chosen


def examined_in(case: Case, framework: Framework, precision: Precision) -> list[Measurement]:
    return list(examine_facts(case, case.inputs(), framework, precision))


def examined(name: str, framework: Framework, precision: Precision, *statements: str) -> list[Measurement]:
    cases = telling_cases(REGISTRY[name], *statements)
    return [found for case in cases for found in examined_in(case, framework, precision)]


@pytest.mark.parametrize("name", dict(FACTS))
def test_every_fact_holds_in_both_stacks(name, stacks):
    for framework in stacks:
        for precision in PRECISIONS.values():
            measurements = examined(name, framework, precision)
            assert {m.quantity.text for m in measurements} == {fact.statement for fact in REGISTRY[name].facts}
            assert all(m.agrees for m in measurements), measurements


def broken(name: str, statement: str) -> Fault:
    (fact,) = (fact for fact in REGISTRY[name].facts if fact.statement == statement)
    fault = fact.broken_by
    return KNOWN[f"{name}/{fault}"] if isinstance(fault, str) else Fault(name, "broken", "broken", fault)


@pytest.mark.parametrize(("name", "statement"), FACTS)
@pytest.mark.parametrize("stack", ["torch", "tensorflow"])
def test_a_broken_stack_breaks_the_fact(stack, name, statement, stacks):
    with injected(broken(name, statement), stack):
        measurements = examined(name, of_name(stacks, stack), FLOAT64, statement)
    (found,) = (m for m in measurements if m.quantity == law_of(statement))
    assert found.fault is None
    assert not found.agrees


def test_what_no_law_can_be_asked_of_is_a_fault(stacks):
    of_one_axis = Fault("losses.mae", "", "", returning(lambda xp, mae, a: xp.reshape(mae, (1,))))
    with injected(of_one_axis, "torch"):
        measurements = examined("losses.mae", of_name(stacks, "torch"), FLOAT64)
    assert {m.fault for m in measurements} == {"returned shape (1,), expected ()"}


def test_a_gradient_without_a_path_is_a_fault_of_the_fact_that_asks_for_it(stacks):
    with injected(KNOWN["losses.poisson_nll/predicted-detached"], "torch"):
        least, stationary = examined("losses.poisson_nll", of_name(stacks, "torch"), FLOAT64)
    assert least.agrees
    assert stationary.fault == "has no gradient with respect to predicted"


def test_a_law_is_examined_only_where_it_applies(stacks):
    def never_asked(trial: Trial) -> Law:
        pytest.fail("a law was asked that does not apply")

    def of_a_dark_pattern(inputs: Inputs) -> bool:
        return not inputs["observed"].any()

    (case,) = telling_cases(REGISTRY["losses.mae"])
    facts = (
        Fact("says something of the dark alone", never_asked, of_a_dark_pattern, broken_by="result-zero"),
        *case.contract.facts,
    )
    with_another = replace(case, contract=replace(case.contract, facts=facts))
    for framework in stacks:
        measurements = examined_in(with_another, framework, FLOAT64)
        assert [m.quantity.text for m in measurements] == [fact.statement for fact in case.contract.facts]


@pytest.mark.parametrize("name", BATCHED)
def test_the_laws_of_a_batch_are_left_out_for_one_group(name, stacks):
    contract = REGISTRY[name]
    case = Case(contract, contract.stratum("single"), 0)
    applying = [fact.statement for fact in contract.facts if fact.applies(case.inputs())]
    of_one_group = [statement for statement in applying if statement not in OF_A_BATCH]
    for framework in stacks:
        assert [m.quantity.text for m in examined_in(case, framework, FLOAT64)] == of_one_group
