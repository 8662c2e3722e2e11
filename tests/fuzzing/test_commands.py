"""A few hundred odd commands, and what the fuzzer itself would notice."""

import pytest

from tests.fuzzing.commands import fault_of, fuzz
from tests.fuzzing.grammar import COMMANDS

PART = 50


@pytest.mark.parametrize("first", range(0, 300, PART))
def test_odd_commands_end_with_a_code_and_a_sentence(first: int) -> None:
    assert [str(fault) for fault in fuzz(range(first, first + PART)).faults] == []


def test_every_command_is_drawn() -> None:
    assert {("run",), ("golden", "replay"), ("defects", "score")} <= COMMANDS.keys()


@pytest.mark.parametrize(
    ("code", "said"),
    [(-11, "parity: no"), (141, ""), (3, ""), (3, "Traceback (most recent call last)"), (3, "a fault of the harness")],
)
def test_what_a_command_must_not_do_is_a_fault(code: int, said: str) -> None:
    assert fault_of(code, said)
    assert fault_of(3, "parity: x: expected a file, got none") is None
