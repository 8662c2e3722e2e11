"""Where a golden comes from: commit, versions, machine. Shown to whoever reviews it, never compared."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import scipy

from parity._ground.environment import in_ci
from parity._ground.errors import UsageError
from parity._ground.git import GitError, GitMissing, git
from parity._ground.repository import ROOT
from parity.goldens.record import Golden
from parity.stacks.base import Framework
from parity.stacks.foreign import Foreign
from parity.stacks.subjects import Subject

HARNESS, PACKAGES = ("parity", "ptycho_exposures"), ("ptycho", "ptycho_torch")
"""What makes a golden of this repository: the harness with the simulation, and the packages of the two stacks."""

SIMULATED = "simulated"
"""What provenance says of inputs that are those of the case."""


def today() -> str:
    """The date, YYYY-MM-DD, the same everywhere at one time."""
    return datetime.now(UTC).date().isoformat()


def head(root: Path = ROOT) -> str:
    """The commit of the code that runs, 40 hexadecimal digits. Raises UsageError outside a git repository."""
    return _git(root, "rev-parse", "HEAD").strip()


def uncommitted(packages: Iterable[str], root: Path = ROOT) -> tuple[str, ...]:
    """The files of these packages that differ from the commit, or that git does not know; none of no package.

    Raises UsageError outside a git repository.
    """
    asked = tuple(packages)
    if not asked:  # git would take that for everything
        return ()
    listed = _git(root, "status", "--porcelain", "--untracked-files=all", "--no-renames", "-z", "--", *asked)
    return tuple(entry[3:] for entry in listed.split("\0") if len(entry) > 3)


def require_committed(packages: Iterable[str], root: Path = ROOT) -> None:
    """Raise UsageError where these packages have uncommitted changes: no commit would say what made a golden."""
    _require_none(uncommitted(packages, root))


def _require_none(changed: Sequence[str]) -> None:
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise UsageError(
            f"{changed[0]}{more}: expected committed code, whose commit a golden can name, got changes; "
            "commit them first"
        )


def code_of(subject: Subject) -> tuple[Path, ...]:
    """The package and the bindings of a subject."""
    name = Path(*subject.package.split("."))
    places = [folder / each for folder in subject.path for each in (name, name.with_suffix(".py"))]
    return (*[place for place in places if place.exists()][:1], *([subject.bindings] if subject.bindings else []))


def uncommitted_code(subject: Subject) -> tuple[str, ...]:
    """The files of a subject that differ from the commit; none of what lies in no repository, which has a version."""
    found: list[str] = []
    for path in code_of(subject):
        with suppress(UsageError):
            found += uncommitted((path.name,), path.parent)
    return tuple(found)


def require_committed_code(subjects: Iterable[Subject]) -> None:
    """Raise UsageError where a subject has uncommitted changes."""
    for subject in subjects:
        _require_none(uncommitted_code(subject))


def _origin_of(framework: Foreign) -> dict[str, str]:
    """The package of a subject, its version, and the commit that has it; "" where there is none."""
    package, commit = code_of(framework.subject)[0], ""
    with suppress(UsageError):
        commit = head(package.parent) if _git(package.parent, "ls-files", "--", package.name) else ""
    return {"package": framework.stack.package, "version": framework.package_version, "commit": commit}


def require_person() -> None:
    """Raise UsageError in CI: a run must not rewrite what it is judged by."""
    if in_ci():
        raise UsageError(
            "CI: expected a person who reviews what goldens become, got CI=true; do it on your own machine"
        )


def require_reason(reason: str) -> str:
    """The reason, one line. Raises UsageError where there is none."""
    words = " ".join(reason.split())
    if not words:
        raise UsageError("--reason: expected why the goldens change, for whoever reviews it, got nothing")
    return words


def versions(frameworks: Sequence[Framework]) -> dict[str, str]:
    """Of everything that the arrays of a golden depend on."""
    return {
        "numpy": np.__version__,
        "ptycho-parity": metadata.version("ptycho-parity"),
        "python": sys.version.split()[0],
        "scipy": scipy.__version__,
        **{framework.name: framework.version for framework in frameworks},
    }


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who makes goldens, and why: the code's commit, the frameworks that run, and the reason that a person gives."""

    reason: str
    commit: str
    frameworks: tuple[Framework, ...]

    def on(self, golden: Golden, inputs: str, withheld: Mapping[str, str]) -> Golden:
        """The golden with its provenance; `withheld` says by stack why its outputs are not stored."""
        subjects = {f.name: _origin_of(f) for f in self.frameworks if isinstance(f, Foreign)}
        return replace(
            golden,
            provenance={
                "commit": self.commit,
                "date": today(),
                "inputs": inputs,
                "platform": platform.platform(),
                "reason": self.reason,
                "stacks": {framework.name: framework.description for framework in self.frameworks},
                "versions": versions(self.frameworks),
                "withheld": dict(withheld),
                **({"subjects": subjects} if subjects else {}),
            },
        )


def _git(root: Path, *arguments: str) -> str:
    try:
        return git(root, *arguments).decode(errors="surrogateescape")
    except GitMissing as error:
        raise UsageError(str(error)) from error
    except GitError as error:
        raise UsageError(f"{root}: expected a git repository, whose commit a golden names, got: {error}") from error
