"""`make ptychopinn` takes commits out of a checkout, in which it writes nothing, and says what it lacks."""

import subprocess
import sys
from pathlib import Path

import pytest

from parity._ground.codes import NOT_CHECKED
from parity._ground.repository import ROOT
from parity.stacks.subjects import subjects_in

HOLD = ROOT / "subjects" / "ptychopinn" / "hold.sh"
PARITY = """#!/bin/sh
echo "$(pwd) $*" >> "$ASKED"
exit "$PARITY_EXIT"
"""


def git(folder: Path, *arguments: str) -> str:
    named = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(["git", *named, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of packages of these names, whose working tree is not what was committed."""
    root = tmp_path / "checkout"
    for package in ("ptycho", "ptycho_torch"):
        (root / package / "inner").mkdir(parents=True)
        (root / package / "inner" / "model.py").write_text("committed = True\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "all")
    (root / "ptycho" / "inner" / "model.py").write_text("committed = False\n")
    return root


def hold(
    tmp_path: Path, checkout: Path | str, commit: str, code: int = 1, python: str = sys.executable
) -> tuple[int, str]:
    """The exit code and what is said, where `parity` is a program that notes how it was called and ends with `code`."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "parity").write_text(PARITY)
    (programs / "parity").chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "ASKED": str(tmp_path / "asked"), "PARITY_EXIT": str(code)}
    command = ["sh", str(HOLD), str(checkout), python, str(tmp_path / "held"), commit]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_each_commit_is_held_in_a_folder_of_its_own(checkout: Path, tmp_path: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD").strip()
    before = git(checkout, "status", "--porcelain", "--ignored"), (checkout / ".git" / "index").read_bytes()
    assert hold(tmp_path, checkout, commit) == (0, "")
    assert (git(checkout, "status", "--porcelain", "--ignored"), (checkout / ".git" / "index").read_bytes()) == before
    held = tmp_path / "held" / commit
    assert {(held / package / "inner" / "model.py").read_text() for package in ("ptycho", "ptycho_torch")} == {
        "committed = True\n"
    }
    declared = subjects_in(held)
    assert {subject.python for subject in declared.values()} == {Path(sys.executable)}
    assert {subject.path for subject in declared.values()} == {(held.resolve(),)}
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split(" --examples")[0] for line in asked] == [f"{held} run --subject {name}" for name in declared]


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 0), (3, 0), (2, 1)])
def test_only_a_run_that_could_not_be_asked_ends_it(code: int, ended: int, checkout: Path, tmp_path: Path) -> None:
    assert hold(tmp_path, checkout, "HEAD", code=code)[0] == ended


def test_what_it_lacks_it_says_and_nothing_is_run(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    got = "a checkout of PtychoPINN with the commit"
    lacking = {
        "CHECKOUT=PATH, a checkout of PtychoPINN, got none": hold(tmp_path, "", "HEAD"),
        f"{got} HEAD, got CHECKOUT={other}": hold(tmp_path, other, "HEAD"),
        f"{got} 0123abc, got CHECKOUT={checkout}": hold(tmp_path, checkout, "0123abc"),
        "INTERPRETER=PATH, a Python that can import PtychoPINN, got nowhere": hold(
            tmp_path, checkout, "HEAD", python="nowhere"
        ),
    }
    for said, done in lacking.items():
        assert done == (NOT_CHECKED, f"make ptychopinn: expected {said}\n")
    assert not (tmp_path / "asked").exists()
