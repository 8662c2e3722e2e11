"""What the harness promises, as data, and what a change takes away from it.

The declarations of the base are read by a Python of their own from the files that git has of it; no framework is
imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from parity._ground.errors import CheckNotMade
from parity._ground.git import GitError, extract, git
from parity._ground.repository import STACKS

HARNESS = "parity"

PACKAGES = (HARNESS, "ptycho_exposures", *STACKS)
"""What declarations are made of; an older commit has them where the stacks are."""

Declarations = Mapping[str, Mapping[str, Any]]
"""By contract, what is declared of it: lists of names, and numbers."""

LISTS: Mapping[str, str] = {
    "strata": "stratum",
    "gradients": "gradient",
    "facts": "fact",
    "entries": "entry",
    "results": "result",
    "defects": "defect",
    "rewrites": "rewrite",
}
"""What a contract has several of, and what one is called."""

NUMBERS: Mapping[str, str] = {
    "undecided": "the share of elements that may stay undecided",
    "uninformative": "the share of examples that need not inform",
    "any_precision": "informing in one precision is enough",
    "cost": "fewer examples are drawn: the cost",
}
"""What weakens a contract by growing."""

_PROMISES = Path(__file__).with_name("promises.py")


class DeclarationsUnreadable(CheckNotMade):
    """The declarations of a tree cannot be read; the message says why."""


def weakened(before: Declarations, after: Declarations) -> Iterator[tuple[str, str]]:
    """What is promised no longer: the contract, and a sentence."""
    for name, was in before.items():
        if name not in after:
            yield name, "is no contract any more"
            continue
        now = after[name]
        for what, one in LISTS.items():
            for item in was[what]:
                if item not in now[what]:
                    yield name, f"the {one} '{item}' is gone"
        for what, said in NUMBERS.items():
            if now[what] > was[what]:
                yield name, f"{said}: {was[what]:g} → {now[what]:g}"


def declared_in(folder: Path) -> Declarations:
    """The declarations of the tree in a folder. Raises DeclarationsUnreadable where they cannot be imported."""
    command = [sys.executable, "-I", str(_PROMISES), str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise DeclarationsUnreadable(f"expected to import parity.contracts.declared, got: {last}")
    found: Declarations = json.loads(done.stdout)
    return found


def declared_at(root: Path, commit: str) -> Declarations:
    """The declarations that a commit has; none before there was a harness. Raises DeclarationsUnreadable."""
    try:
        there = git(root, "ls-tree", "--name-only", commit, "--", *PACKAGES).decode().split()
        if HARNESS not in there:
            return {}
    except GitError:
        return {}
    with tempfile.TemporaryDirectory(prefix="parity-base-") as temporary:
        extract(root, commit, Path(temporary), *there)
        return declared_in(Path(temporary))
