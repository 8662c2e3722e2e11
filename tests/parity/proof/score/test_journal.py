"""A score that was interrupted goes on where it was."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from parity.contracts.declared import REGISTRY
from parity.faults import CATALOGUE, REWRITES
from parity.proof.score import run
from parity.proof.score.result import ContractScore, DefectScore, Explained, RewriteScore, Score, ScoreRun, Seen
from parity.runs.scope import sources

NAMES = ("losses.mae", "losses.complex_mae")
CONTRACTS = tuple(REGISTRY[name] for name in NAMES)


def scored(name: str) -> ContractScore:
    """Every defect of a contract caught, every rewrite silent."""
    seen, rewrites = Seen.among({"even/0": True}), [r for r in REWRITES.values() if r.target == name]
    found = (
        DefectScore(d.full_name, stack, True, True, seen, {}, {})
        for d in CATALOGUE.select([name])
        for stack in d.stacks
    )
    silent = (RewriteScore(r.full_name, stack, True) for r in rewrites for stack in r.stacks)
    return ContractScore(name, 1, True, None, None, {}, tuple(found), tuple(silent))


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The contracts that were scored, instead of scoring them."""
    names: list[str] = []

    def record(contracts: Sequence[str], job: run.Job, processes: int) -> Iterator[ContractScore]:
        for name in contracts:
            names.append(name)
            yield scored(name)

    monkeypatch.setattr(run, "_scored", record)
    return names


def test_what_is_known_is_not_scored_again_and_the_rest_is(asked):
    seen: list[Score] = []
    known = Score((ScoreRun((scored(NAMES[0]),), run.CI_EXAMPLES, 7, {}, "a1"),))
    whole = run.score(CONTRACTS, run.Job(), advance=seen.append, known=known)
    assert asked == [NAMES[1]]
    assert [[contract.contract for contract in made.contracts] for made in whole.runs] == [[name] for name in NAMES]
    assert [made.sources for made in whole.runs] == ["a1", sources()]
    assert whole.seconds >= 7
    assert [len(score.contracts) for score in seen] == [2]


def test_a_contract_that_has_other_defects_now_and_a_score_of_other_examples_are_scored_again(asked):
    old = scored(NAMES[0])
    fewer = replace(old, defects=old.defects[1:])
    for known in (ScoreRun((fewer,), run.CI_EXAMPLES), ScoreRun((old,), 3)):
        asked.clear()
        run.score(CONTRACTS, run.Job(), known=Score((known,)))
        assert asked == list(NAMES)


def test_a_row_is_stale_where_defects_rewrites_or_right_causes_are_others_now():
    right = scored(NAMES[0])
    (row, *rows) = right.defects
    marked_otherwise = replace(row, explained=Explained(None, ("something else",)))
    for old in (
        replace(right, defects=tuple(rows)),
        replace(right, rewrites=()),
        replace(right, defects=(marked_otherwise, *rows)),
    ):
        assert NAMES[0] in run.stale(Score((ScoreRun((old,), 1),)))
    assert NAMES[0] not in run.stale(Score((ScoreRun((right,), 1),)))


def test_a_row_that_is_missing_or_of_no_contract_is_stale():
    gone = replace(scored(NAMES[0]), contract="losses.gone")
    assert {NAMES[0], "losses.gone"} <= {*run.stale(Score((ScoreRun((gone,), 1),)))}
