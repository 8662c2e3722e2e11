"""Every condition ends with its exit code, one sentence, and no traceback."""

import re
from pathlib import Path

import pytest

from tests.conditions.condition import CONDITIONS, Condition, Place
from tests.conditions.kinds import load_all

load_all()


@pytest.mark.parametrize("one", [pytest.param(CONDITIONS[name], id=name) for name in sorted(CONDITIONS)])
def test_a_condition_ends_with_its_code_and_sentence(one: Condition, tmp_path: Path) -> None:
    done = one.arrange(Place(tmp_path))
    said = done.stdout + done.stderr
    assert done.returncode == one.code, said
    assert one.says in re.sub(r"\s+", " ", said)
    assert "Traceback" not in said
    assert "a fault of the harness" not in said


def test_a_sentence_is_given_wherever_a_command_does_not_pass() -> None:
    assert [one.name for one in CONDITIONS.values() if one.code and not one.says] == []
