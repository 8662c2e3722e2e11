"""The page on architecture is that of the code: its rooms, the files it names, its answers to a newcomer."""

import importlib
import re
import tomllib

import pytest

from parity._ground.repository import ROOT
from parity.contracts.declared import REGISTRY

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = {path.name for path in (ROOT / "parity").iterdir() if (path / "__init__.py").is_file()}


def layers() -> list[set[str]]:
    """The rooms in the layers of imports, from top to bottom; modules that serve all rooms are none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    named = [set(re.split(r" [|:] ", layer)) & ROOMS for layer in contract["layers"]]
    return [layer for layer in named if layer]


def picture() -> list[set[str]]:
    (rows,) = re.findall(r"^## The rooms.*?```\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    return [set(re.split(r"  +", row)[0].split(" | ")) for row in rows.splitlines()]


def test_the_picture_has_the_rooms_that_there_are_in_the_order_of_their_imports() -> None:
    assert picture() == layers()
    assert set().union(*picture()) == ROOMS


def test_the_page_is_read_in_five_minutes() -> None:
    assert len(PAGE.split()) < 1400  # at 280 words a minute


def test_there_are_about_twenty_words() -> None:
    table = PAGE[PAGE.index("## The words") : PAGE.index("## Five questions")]
    assert 15 <= len(re.findall(r"^\| [a-z]", table, re.MULTILINE)) - 1 <= 25


def test_five_questions_are_answered() -> None:
    questions = PAGE[PAGE.index("## Five questions") : PAGE.index("## Where to read on")]
    assert len(re.findall(r"^\*\*.*\?\*\*", questions, re.MULTILINE)) == 5


@pytest.mark.parametrize(
    "folder", sorted(path.name for path in (ROOT / "fixtures" / "golden").iterdir() if path.is_dir())
)
def test_a_golden_leads_to_the_file_of_its_contract(folder: str) -> None:
    declared = importlib.import_module(f"parity.contracts.declared.{folder.split('.')[0]}")
    assert REGISTRY[folder] in declared.CONTRACTS
