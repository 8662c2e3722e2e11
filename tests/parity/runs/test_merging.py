"""Shards put together, on measurements made up for it; and whatever is no shard of the same run, refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parity.judging.measurement import PAIR, Measurement
from parity.judging.quantity import result_of
from parity.judging.run import ContractRun, NotChecked
from parity.judging.shards import Shard
from parity.runs.merging import Merged, merge
from parity.runs.results import ResultsError, Stored
from parity.runs.scope import Asked, sources

MAE, TV = "losses.mae", "losses.total_variation"
CASES = tuple(f"odd/{seed}" for seed in range(9))
ASKED = Asked({MAE: CASES, TV: CASES[:2]}, ("json", "torch"), ("f32", "f64"), "", sources())
ENVIRONMENT = {"platform": "here", "torch": "torch 2 (eager)"}


def measurements(contract: str, case: str, **numbers: Any) -> list[Measurement]:
    defaults: dict[str, Any] = {"elements": 10, "epsilon": 1e-6, "ratio": 0.5}
    return [
        Measurement(contract, case, "f64", result_of("q"), stack, **defaults | numbers)
        for stack in ("torch", "json", PAIR)
    ]


def shard(number: int, of: int = 3, asked: Asked = ASKED, **changed: Any) -> Stored:
    part = replace(asked, shard=Shard(number, of))
    held = {c: tuple(m for case in part.cases_of(c) for m in measurements(c, case)) for c in part.cases}
    kept = {contract: found for contract, found in held.items() if found}
    fields: dict[str, Any] = {
        "path": Path(f"{number}.json"),
        "environment": ENVIRONMENT,
        "measurements": kept,
        "seconds": dict.fromkeys(kept, 2.0),
        "asked": part,
    }
    return Stored(**fields | changed)


def shards(**changed: Stored) -> list[Stored]:
    return [changed.get(f"s{number}", shard(number)) for number in (1, 2, 3)]


def runs(merged: Merged) -> list[ContractRun]:
    return [one for one in merged.found if isinstance(one, ContractRun)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_all_measurements_in_the_order_of_the_plan(order: tuple[int, ...]) -> None:
    given = shards()
    merged = merge([given[place] for place in order])
    assert [run.verdict.contract for run in runs(merged)] == [MAE, TV]
    assert list(runs(merged)[0].measurements) == [m for case in CASES for m in measurements(MAE, case)]
    assert [run.verdict.agrees for run in runs(merged)] == [True, True]
    assert merged.asked == ASKED


def test_a_quota_is_of_the_whole() -> None:
    blind = shard(2)
    dark = tuple(replace(m, epsilon=1.0) for m in blind.measurements[MAE])
    merged = merge(shards(s2=replace(blind, measurements={**blind.measurements, MAE: dark})))
    assert [run.verdict.outcome for run in runs(merged)] == ["uninformative", "agree"]


def test_what_a_shard_did_not_check_is_not_checked_in_the_whole() -> None:
    lost = shard(2)
    kept = {contract: found for contract, found in lost.measurements.items() if contract != MAE}
    merged = merge(shards(s2=replace(lost, measurements=kept, not_checked={MAE: "its process was killed"})))
    assert merged.found[0] == NotChecked(MAE, "its process was killed (shard 2/3)")
    assert [run.verdict.contract for run in runs(merged)] == [TV]


def test_a_contract_without_examples_does_not_agree() -> None:
    asked = replace(ASKED, cases={MAE: CASES, TV: ()})
    merged = merge([shard(number, asked=asked) for number in (1, 2, 3)])
    assert runs(merged)[1].verdict.reason == "no example was run"


def test_machines_may_differ_in_their_platform_and_all_are_named() -> None:
    merged = merge(shards(s3=shard(3, environment=ENVIRONMENT | {"platform": "there"})))
    assert merged.environment["platform"] == "here; there"


def other(**changed: Any) -> Stored:
    return shard(2, asked=replace(ASKED, **changed))


SAME = "expected the same in all shards of a run, got"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (list, "results: expected those of all shards of a run, got none"),
        (lambda: shards()[:2], "shards: expected all of 1/3 to 3/3, got none of 3/3"),
        (lambda: [*shards(), shard(1, path=Path("again.json"))], "shard 1/3: expected once, got 1.json and again.json"),
        (lambda: shards(s2=shard(2, of=4)), f"number of shards: {SAME} 3 in 3.json and 4 in 2.json"),
        (
            lambda: shards(s2=replace(shard(2), asked=ASKED)),
            "2.json: expected the results of a shard",
        ),
        (lambda: shards(s2=other(sources="ff")), f"sources: {SAME} {sources()[:12]} in 1.json and ff in 2.json"),
        (lambda: shards(s2=other(precisions=("f64",))), f"precisions: {SAME} f32, f64 in 1.json and f64 in 2.json"),
        (lambda: shards(s2=other(stacks=("torch",))), f"stacks: {SAME} json, torch in 1.json and torch in 2.json"),
        (lambda: shards(s2=other(data="abc")), f"data: {SAME} none in 1.json and abc in 2.json"),
        (lambda: shards(s2=other(cases={MAE: CASES})), f"contracts: {SAME} {MAE}, {TV} in 1.json and {MAE} in 2.json"),
        (
            lambda: shards(s2=other(cases={MAE: CASES[:5], TV: CASES[:2]})),
            f"examples: {SAME} 11 in 1.json and 7 in 2.json",
        ),
        (
            lambda: shards(s2=shard(2, environment=ENVIRONMENT | {"torch": "torch 3 (eager)"})),
            f"torch: {SAME} torch 2 (eager) in 1.json and torch 3 (eager) in 2.json",
        ),
        (
            lambda: shards(s2=shard(2, environment={"platform": "here"})),
            f"torch: {SAME} torch 2 (eager) in 1.json and none in 2.json",
        ),
        (
            lambda: [shard(number, asked=replace(ASKED, sources="ff")) for number in (1, 2, 3)],
            f"sources: {SAME} ff in 1.json and {sources()[:12]} here",
        ),
    ],
)
def test_what_is_no_whole_run_is_refused(given: Callable[[], list[Stored]], message: str) -> None:
    with pytest.raises(ResultsError) as caught:
        merge(given())
    assert str(caught.value).startswith(message)


def test_other_cases_of_the_same_number_are_refused() -> None:
    with pytest.raises(ResultsError, match=r"^cases: expected the same"):
        merge(shards(s2=other(cases={MAE: (*CASES[:8], "even/0"), TV: CASES[:2]})))
