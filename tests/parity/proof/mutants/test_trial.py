"""A mutant of a package of three lines: made, asked about, unmade."""

import inspect

import pytest

from parity.proof.mutants.asking import ask
from parity.proof.mutants.making import InvalidMutant, made
from parity.proof.mutants.trial import TrialOutcome, try_mutant

ADDED = "def doubled(x):\n    return LIMIT + x"
TEST = "def test_five_doubled_is_ten(): assert code.doubled(5) == 10"


def test_a_mutant_takes_effect_wherever_the_package_calls_it(tiny):
    with made(tiny.mutant("doubled", ADDED)):
        assert tiny.code.quadrupled(5) == 9
        assert inspect.getsource(tiny.code.doubled) == ADDED
    assert tiny.code.quadrupled(5) == 20


def test_a_constant_can_be_changed(tiny):
    with made(tiny.mutant("LIMIT", "LIMIT = 3")):
        assert tiny.code.doubled(5) == 15
    assert tiny.code.LIMIT == 2


def test_a_mutant_is_undone_whatever_happens_in_the_block(tiny):
    right = tiny.code.doubled
    with pytest.raises(KeyboardInterrupt), made(tiny.mutant("doubled", ADDED)):
        raise KeyboardInterrupt
    assert tiny.code.doubled is right


@pytest.mark.parametrize("source", ["def doubled(x: no_such_name): return x", "def doubled(x): return return"])
def test_what_is_no_program_is_not_made(tiny, source):
    right = tiny.code.doubled
    with pytest.raises(InvalidMutant), made(tiny.mutant("doubled", source)):
        pass
    assert tiny.code.doubled is right


@pytest.mark.parametrize(
    ("body", "test", "outcome", "by"),
    [
        ("(x): return 3 * x", TEST, TrialOutcome.KILLED, "test_five_doubled_is_ten"),
        ("(x): return x + x", TEST, TrialOutcome.SURVIVED, ""),
        ("(x): return 3 * x", "import no_such_module", TrialOutcome.BROKEN, ""),  # no session was held
        ("(x=1 / 0): return 3 * x", TEST, TrialOutcome.INVALID, ""),
    ],
)
def test_what_becomes_of_a_mutant(tiny, body, test, outcome, by):
    trial = try_mutant(tiny.mutant("doubled", f"def doubled{body}"), (tiny.question(test),))
    assert (trial.outcome, trial.by) == (outcome, by)


def test_later_questions_are_asked_only_if_earlier_ones_notice_nothing(tiny):
    asked = []

    def sessions():
        asked.append("first")
        yield tiny.question(TEST)
        asked.append("second")
        yield tiny.question("def test_six_doubled_is_twelve(): assert code.doubled(6) == 12")

    killed = try_mutant(tiny.mutant("doubled", "def doubled(x): return x"), sessions())
    assert (killed.outcome, asked) == (TrialOutcome.KILLED, ["first"])
    late = try_mutant(tiny.mutant("doubled", "def doubled(x): return min(2 * x, 11)"), sessions())
    assert (late.outcome, late.by) == (TrialOutcome.KILLED, "test_six_doubled_is_twelve")


def test_a_test_module_that_took_a_function_for_itself_sees_the_mutant(tiny):
    question = tiny.question(f"from {tiny.name}.code import doubled\n\ndef test_it(): assert doubled(5) == 10")
    assert ask(question).code == 0
    trial = try_mutant(tiny.mutant("doubled", "def doubled(x): return x"), (question,))
    assert trial.outcome is TrialOutcome.KILLED
    assert ask(question).code == 0
