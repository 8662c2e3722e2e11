"""Mutants of the borders of `ptycho_torch.scaling`, in a checkout whose unit tests are three lines."""

from dataclasses import replace
from multiprocessing import active_children

import pytest

from parity.proof.mutants.crew import TrialsNotMade, try_all
from parity.proof.mutants.mutate import Mutant, MutantKind
from parity.proof.mutants.trial import MutantTrial, TrialOutcome, append_trial, read_trials

WHAT = ("ptycho_torch", "scaling", "_widen", "_widen", 1, 0, "by hand", "", "", MutantKind.BORDER)
WIDEN, HANGS, DIES = (
    Mutant(*WHAT, f"def _widen(amplitude):\n    {body}")
    for body in ("return 0", "while True: amplitude = amplitude", "import os; os._exit(7)")
)

TEST = """
from ptycho_torch import scaling


def test_a_tensor_of_floats_stays():
    import torch
    x = torch.ones(1)
    assert scaling._widen(x) is x
"""


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "tests" / "torch"
    folder.mkdir(parents=True)
    (folder / "test_scaling.py").write_text(TEST)
    return tmp_path


def test_a_process_that_dies_kills_nothing_and_the_next_mutant_is_tried(checkout):
    advanced = []
    trials = try_all([DIES, WIDEN], checkout, checkout / "journal", 1, 60.0, lambda: advanced.append(1))
    outcomes = {mutant: trial.outcome for mutant, trial in trials.items()}
    assert outcomes == {DIES.id: TrialOutcome.BROKEN, WIDEN.id: TrialOutcome.KILLED}
    assert trials[DIES.id].message == "its process ended itself with exit code 7"
    assert len(advanced) == 2
    assert active_children() == []
    assert read_trials(checkout / "journal") == trials


def test_an_endless_loop_is_not_a_kill_and_the_next_mutant_is_tried(checkout):
    trials = try_all([HANGS, WIDEN], checkout, checkout / "journal", 1, 20.0)
    assert [trial.outcome for trial in trials.values()] == [TrialOutcome.TIMED_OUT, TrialOutcome.KILLED]


def test_what_a_journal_has_is_not_tried_again(checkout):
    path, advanced = checkout / "journal", []
    known = MutantTrial(DIES.id, TrialOutcome.SURVIVED, 1.0)
    append_trial(path, known)
    assert try_all([DIES], checkout, path, 2, 60.0, lambda: advanced.append(1)) == {DIES.id: known}
    assert len(advanced) == 1


def test_nothing_is_tried_where_the_unchanged_stack_fails(checkout):
    (checkout / "tests" / "torch" / "test_scaling.py").write_text("def test_it():\n    assert False\n")
    said = "the unchanged stacks do not pass: tests/torch/test_scaling.py::test_it"
    with pytest.raises(TrialsNotMade, match=said):
        try_all([WIDEN], checkout, checkout / "journal", 1, 60.0)
    assert not (checkout / "journal").exists()


def test_a_fault_of_the_harness_is_no_outcome_of_a_mutant(checkout):
    nowhere = replace(WIDEN, definition="_gone", source="def _gone():\n    return 0")
    with pytest.raises(TrialsNotMade, match=r"ptycho_torch/scaling\.py:1:0: raised LookupError"):
        try_all([nowhere], checkout, checkout / "journal", 1, 60.0)
