"""Mutants of the borders of `ptycho_torch.scaling`, in a checkout whose unit tests are three lines."""

from dataclasses import replace

import pytest

from parity.proof.mutants import journal
from parity.proof.mutants.crew import WorkerFault, try_all
from parity.proof.mutants.mutate import Mutant, MutantKind
from parity.proof.mutants.trial import MutantTrial, TrialOutcome

WIDEN = Mutant(
    "ptycho_torch",
    "scaling",
    "_widen",
    "_widen",
    1,
    0,
    "by hand",
    "",
    "",
    MutantKind.BORDER,
    "def _widen(amplitude):\n    return 0",
)
DIES = replace(WIDEN, source="def _widen(amplitude):\n    import os\n    os._exit(7)")

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
    assert {mutant: trial.outcome for mutant, trial in trials.items()} == {
        DIES.id: TrialOutcome.BROKEN,
        WIDEN.id: TrialOutcome.KILLED,
    }
    assert len(advanced) == 2


def test_what_a_journal_has_is_not_tried_again(checkout):
    path = checkout / "journal"
    known = MutantTrial(DIES.id, TrialOutcome.SURVIVED, 1.0)
    journal.append(path, known)
    assert try_all([DIES], checkout, path, 2, 60.0) == {DIES.id: known}


def test_nothing_is_tried_where_the_unchanged_stack_fails(checkout, capfd):
    (checkout / "tests" / "torch" / "test_scaling.py").write_text("def test_it():\n    assert False\n")
    with pytest.raises(WorkerFault):
        try_all([WIDEN], checkout, checkout / "journal", 1, 60.0)
    assert "the unchanged stacks do not pass: tests/torch/test_scaling.py::test_it" in capfd.readouterr().err
