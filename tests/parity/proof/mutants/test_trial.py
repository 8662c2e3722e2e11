import importlib

import pytest

from parity.proof.mutants.asking import ask
from parity.proof.mutants.trial import TrialOutcome, try_mutant

TEST = """
def test_five_doubled_is_ten():
    assert code.doubled(5) == 10
"""


@pytest.fixture
def code(tiny):
    tiny.code("def doubled(x):\n    return 2 * x\n")
    return importlib.import_module(f"{tiny.name}.code")


def tried(tiny, source, test=TEST):
    return try_mutant(tiny.mutant("doubled", source), (tiny.question(test),))


def test_a_mutant_that_a_test_notices_is_killed_by_that_test(tiny, code):
    trial = tried(tiny, "def doubled(x):\n    return 3 * x")
    assert (trial.outcome, trial.by) == (TrialOutcome.KILLED, "test_five_doubled_is_ten")


def test_a_mutant_that_changes_nothing_survives(tiny, code):
    assert tried(tiny, "def doubled(x):\n    return x + x").outcome is TrialOutcome.SURVIVED


def test_a_session_that_cannot_be_held_is_not_a_kill(tiny, code):
    trial = tried(tiny, "def doubled(x):\n    return 3 * x", "import no_such_module\n")
    assert trial.outcome is TrialOutcome.BROKEN


def test_what_is_no_program_is_counted_nowhere(tiny, code):
    assert tried(tiny, "def doubled(x=1 / 0):\n    return 3 * x").outcome is TrialOutcome.INVALID


def test_later_questions_are_asked_only_if_earlier_ones_notice_nothing(tiny, code):
    asked = []

    def sessions():
        asked.append("first")
        yield tiny.question(TEST)
        asked.append("second")
        yield tiny.question("def test_six_doubled_is_twelve():\n    assert code.doubled(6) == 12")

    killed = try_mutant(tiny.mutant("doubled", "def doubled(x):\n    return x"), sessions())
    assert (killed.outcome, asked) == (TrialOutcome.KILLED, ["first"])
    late = try_mutant(tiny.mutant("doubled", "def doubled(x):\n    return min(2 * x, 11)"), sessions())
    assert (late.outcome, late.by) == (TrialOutcome.KILLED, "test_six_doubled_is_twelve")


def test_a_test_module_that_took_a_function_for_itself_sees_the_mutant(tiny, code):
    question = tiny.question(f"from {tiny.name}.code import doubled\n\n\ndef test_it():\n    assert doubled(5) == 10")
    assert ask(question).code == 0
    trial = try_mutant(tiny.mutant("doubled", "def doubled(x):\n    return x"), (question,))
    assert trial.outcome is TrialOutcome.KILLED
    assert ask(question).code == 0
