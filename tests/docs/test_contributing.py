"""The guide leads to green: a contract is added in a clone as CONTRIBUTING.md says, and nothing else is done."""

import re
import shlex

import pytest

from parity._ground.codes import DISAGREE
from parity._ground.repository import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = PAGE[PAGE.index("## A contract in four files") : PAGE.index("\n## Other things to add")]
PLACED = re.compile(r"Write\s([^`]*?(?:`CONTRACTS`[^`]*)?)`([\w/]+\.py)`[^`]*?:\n\n```python\n(.*?)```", re.DOTALL)
BLOCKS = [(" ".join(place.split()), file, code) for place, file, code in PLACED.findall(WALK)]
COMMANDS = re.findall(r"^ {4}((?:git|make|parity|ruff) .*)$", WALK, re.MULTILINE)
FILES = sorted({file for _, file, _ in BLOCKS})

TOUCHED = (
    "tests/parity/contracts",
    "tests/parity/faults/test_catalogue.py",
    "tests/parity/faults/test_recognition.py",
    "tests/parity/goldens/test_goldens.py",
    "tests/parity/judging/test_laws.py",
    "tests/parity/physics/test_adjoint.py",
    "tests/parity/physics/test_against_mpmath.py",
    "tests/parity/proof/score/test_published.py",
    "tests/parity/stacks/test_frameworks.py",
)
"""Where `make test` has tests of every contract, or of all together."""

OF_IT = "losses.mse or test_mirror or test_published or equation_once"


def written(text, place, code):
    """The text of a file with a block of the guide at its place."""
    if place == "at the end of":
        return f"{text}\n\n{code}"
    if place == "below the imports of":
        *_, last = re.finditer(r"^(?:from \S+ )?import (?:\([^)]*\)|[^(\n]*)\n", text, re.MULTILINE)
        return text[: last.end()] + code + text[last.end() :]
    assert place == "as the last row of `CONTRACTS` in"
    end = text.index("\n)\n", text.index("\nCONTRACTS = (\n")) + 1
    return f"{text[:end]}{code.rstrip()},\n{text[end:]}"


def follow(clone, command):
    program, *arguments = shlex.split(command)
    if program == "git":
        clone.git(*arguments)
    elif program != "make":  # of which the caller runs what the walk touches
        succeed(clone, program, *arguments)


def succeed(clone, *words):
    done = clone.python(*words, CI="")  # by a person, who may promote goldens
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"


def test_the_guide_says_where_every_block_of_code_stands():
    assert len(BLOCKS) == WALK.count("```python") == 5
    assert FILES == [
        "parity/contracts/declared/losses.py",
        "parity/physics/oracle/losses.py",
        "ptycho/losses.py",
        "ptycho_torch/losses.py",
    ]
    assert COMMANDS[-1] == "make test"


@pytest.fixture
def walked(clone):
    """The clone after the walk."""
    for place, file, code in BLOCKS:
        path = clone.root / file
        path.write_text(written(path.read_text(encoding="utf-8"), place, code), encoding="utf-8")
    for command in COMMANDS:
        follow(clone, command)
    return clone


def test_the_walk_leads_to_green_and_a_broken_stack_to_red(walked):
    succeed(walked, "ruff", "check")
    succeed(walked, "ruff", "format", "--check")
    succeed(walked, "mypy", *FILES)
    succeed(walked, "pytest", "-q", *TOUCHED, "-k", OF_IT)
    walked.commit("Freeze it")
    walked.edit(
        "ptycho_torch/losses.py", "(predicted - observed).square().mean()", "(predicted - observed).square().sum()"
    )
    walked.commit("Break it")
    code, said = walked.verdict("--base", "HEAD~1")
    (found,) = said["contracts"]
    assert (code, found["contract"], found["sides"]) == (DISAGREE, "losses.mse", ["torch"])
    assert "\n  cause: torch: a sum stands for the mean\n" in found["message"]
