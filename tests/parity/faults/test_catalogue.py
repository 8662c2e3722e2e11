"""Every known defect is caught in every stack that can have it, and every rewrite is silent.

The strata are tried in order, up to the first example that shows the defect; drawn cases only after all of them. A test
is a contract, so that what its defects are judged by is made once, in whatever process.
"""

from collections.abc import Iterable
from functools import cache
from itertools import product

import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault, Injectable
from parity.faults import CATALOGUE, REWRITES
from parity.faults.injection import injected
from parity.judging.measurement import Measurement
from parity.judging.verdict import Outcome, Verdict, judge
from parity.proof.score.preparation import ScoredExample, examples_of
from parity.proof.score.run import CI_EXAMPLES
from parity.stacks.base import Framework

Stacks = tuple[Framework, ...]

FEW = 6
"""Strata of a costly contract on which rewrites are tried here; the score has all of them, and drawn cases."""


def test_the_faults_that_contracts_declare_are_in_the_catalogue() -> None:
    declared = [fault for contract in REGISTRY.values() for fault in contract.faults]
    assert declared
    assert [CATALOGUE[fault.full_name] for fault in declared] == declared


def targets(changes: Iterable[Injectable]) -> list[str]:
    return list(dict.fromkeys(change.target for change in changes))


def verdict_up_to_the_first_failure(defect: Fault, framework: Framework, examples: Iterable[ScoredExample]) -> Verdict:
    found: list[Measurement] = []
    with injected(defect, framework.name):
        for example in examples:
            measured = example.beside(framework.name, example.hold(framework))
            found += measured
            if not all(measurement.agrees for measurement in measured):
                break
    return judge(defect.target, found, REGISTRY[defect.target].quota)


@pytest.mark.parametrize("name", targets(CATALOGUE.values()))
def test_every_defect_of_a_contract_is_caught_and_its_side_named(name: str, stacks: Stacks) -> None:
    strata = list(examples_of(REGISTRY[name], stacks, 0))
    every = cache(lambda: list(examples_of(REGISTRY[name], stacks, CI_EXAMPLES)))
    not_caught = {}
    for defect, framework in product(CATALOGUE.values(), stacks):
        if defect.target == name and framework.name in defect.stacks:
            verdict = verdict_up_to_the_first_failure(defect, framework, strata)
            if verdict.outcome is not Outcome.DISAGREE:
                verdict = verdict_up_to_the_first_failure(defect, framework, every())
            if verdict.outcome is not Outcome.DISAGREE or verdict.sides != (framework.name,):
                not_caught[f"{defect.full_name} in {framework.name}"] = verdict.outcome, verdict.sides
    assert not_caught == {}


@pytest.mark.parametrize("name", targets(REWRITES.values()))
def test_every_rewrite_of_a_contract_is_silent(name: str, stacks: Stacks) -> None:
    contract = REGISTRY[name]
    examples = list(examples_of(contract, stacks, 0))[: None if contract.cost == 1 else FEW]
    alarms = {}
    for rewrite, framework in product(REWRITES.values(), stacks):
        if rewrite.target == name and framework.name in rewrite.stacks:
            with injected(rewrite, framework.name):
                found = [m for example in examples for m in example.beside(framework.name, example.hold(framework))]
            verdict = judge(name, found, REGISTRY[rewrite.target].quota)
            if not verdict.agrees:
                alarms[f"{rewrite.full_name} in {framework.name}"] = verdict.reason or verdict.failures[0]
    assert alarms == {}
