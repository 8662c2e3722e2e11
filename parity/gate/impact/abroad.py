"""Changed files of a repository that declares subjects → the contracts to hold.

A contract is asked if something that differs runs for it, or did at the base. What runs when it is imported may matter
to any, and so may a file that is no Python: then all that are bound are asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from parity._ground.errors import CheckNotMade
from parity.contracts.contract import Contract
from parity.gate.impact.changes import Change, Changes
from parity.gate.impact.definitions import EVERYTHING, changed_definitions, definitions_at, runs_when_called
from parity.gate.impact.mapping import GOLDENS, Impact, Reason
from parity.gate.impact.tracing import BaseUntraced, Traced, base_of, traced, tracers
from parity.judging.divergences.declared import files_of
from parity.judging.divergences.registry import accepted_by
from parity.runs.baseline import BASELINE
from parity.stacks.foreign import Place
from parity.stacks.subjects import Subject

_ASIDE: Mapping[str, Sequence[str]] = {
    "documentation": ("*.md", "*.rst", "*.ipynb", "docs/*", "*/docs/*", "LICENSE*"),
    "tests": ("tests/*", "*/tests/*"),
    "what runs a check, not what it judges": (".github/*", ".gitlab-ci.yml", ".pre-commit-config.yaml"),
    "disagreements that `parity baseline check` holds": (BASELINE, f"*/{BASELINE}"),
    "what git leaves out": (".gitignore", "*/.gitignore"),
}
"""Files other than Python's that no subject depends on, by why not."""


def impact_abroad(
    changes: Changes, subjects: Sequence[Subject], contracts: Mapping[str, Contract], limit: float | None = None
) -> Impact:
    """What the files that differ touch among the contracts that subjects bind.

    Raises CheckNotMade where a subject cannot be imported as it is.
    """
    mapping = _Placing(changes, subjects, contracts)
    python = [change for change in changes.files if not mapping.has_placed(change)]
    if python and not mapping.everything:
        try:
            mapping.place(python, *_both_traced(changes, subjects, contracts, limit))
        except BaseUntraced as error:
            mapping.everything.append(Reason(f"the base cannot be traced ({error}), and code", python[0].path))
    return mapping.impact()


def _both_traced(
    changes: Changes, subjects: Sequence[Subject], contracts: Mapping[str, Contract], limit: float | None
) -> tuple[Traced, Traced]:
    """What runs at the base, and now."""
    with (
        tracers(subjects, changes.root, limit) as now,
        base_of(changes, subjects) as (folder, theirs),
        tracers(theirs, folder, limit) as before,
    ):
        for framework in now:
            framework.require()
        try:
            for framework in before:
                framework.require()
        except CheckNotMade as error:
            raise BaseUntraced(str(error).replace(f"{folder}/", "")) from error
        found = traced(tuple(contracts.values()), {changes.root: now, folder: before})
        return found[folder], found[changes.root]


class _Placing:
    """The change gone through file by file."""

    def __init__(self, changes: Changes, subjects: Sequence[Subject], contracts: Mapping[str, Contract]) -> None:
        self._contracts = contracts
        self._declaring, self._bindings = (
            {_named(path, changes.root) for path in paths if path}
            for paths in ([s.file for s in subjects], [s.bindings for s in subjects])
        )
        self._goldens = {f"{_named(subject.root / GOLDENS, changes.root)}/" for subject in subjects}
        self._expected: defaultdict[str, list[str]] = defaultdict(list)
        for entry in accepted_by(subjects[0].root):
            for file in files_of(entry):
                self._expected[_named(file, changes.root)].append(entry.contract)
        self._touched: defaultdict[str, list[Reason]] = defaultdict(list)
        self._aside: dict[str, str] = {}
        self.everything: list[Reason] = []

    def impact(self) -> Impact:
        touched = {name: tuple(dict.fromkeys(self._touched[name])) for name in self._contracts if name in self._touched}
        return Impact(touched, {}, tuple(self.everything), (), self._aside)

    def has_placed(self, change: Change) -> bool:
        """Whether the name of a file alone says what it matters to, and this is noted."""
        path = change.path
        if path in self._declaring:
            self.everything.append(Reason("what is declared", path))
        elif path in self._expected:
            for name in self._expected[path]:
                self._touched[name].append(Reason("what is accepted of it", path))
        elif path.endswith(".py") and change.plain:
            return False
        elif any(path.startswith(folder) for folder in self._goldens):
            self._place_golden(path)
        elif reason := next((why for why, each in _ASIDE.items() if any(fnmatchcase(path, p) for p in each)), ""):
            self._aside[path] = reason
        else:
            self.everything.append(Reason("what may matter to all", path))
        return True

    def _place_golden(self, path: str) -> None:
        name = path.rsplit("/", 2)[-2]
        if name in self._contracts:
            self._touched[name].append(Reason("a golden of it", path))
        else:
            self._aside[path] = "a list of the goldens"

    def place(self, python: Sequence[Change], before: Traced, now: Traced) -> None:
        """Note what files of Python matter to, as what runs says."""
        for change in python:
            self._place(change, before, now)
        for name, why in (before.lost | now.lost).items():
            self._touched[name].append(Reason(f"it cannot be traced ({why}), and code", python[0].path))

    def _place(self, change: Change, before: Traced, now: Traced) -> None:
        path, both = change.path, (before, now)
        if not any(path in self._bindings or path in traced.loaded for traced in both):
            self._aside[path] = "no binding imports it"
            return
        versions = [content or b"" for content in (change.old, change.new)]
        try:
            differing = changed_definitions(*versions)
            runs = [_Runs.of(text, traced, path) for text, traced in zip(versions, both, strict=True)]
        except SyntaxError as error:
            self.everything.append(Reason("what this Python cannot read", path, error.lineno or 1))
            return
        noted = False
        for name, line in differing.items():
            noted |= self._note(Reason(name, path, line), runs_when_called(name, *versions), runs)
        if not noted:
            self._aside[path] = "no bound contract runs what differs" if differing else "comments and docstrings alone"

    def _note(self, reason: Reason, when_called: bool, runs: Sequence[_Runs]) -> bool:
        """Note what a definition that differs matters to; whether there is anything."""
        name = reason.what
        if not when_called or any(name in one.imported for one in runs):
            what = "code that runs when it is imported" if name == EVERYTHING else f"{name}, which an import needs,"
            self.everything.append(replace(reason, what=what))
            return True
        found = {contract for one in runs for contract, names in one.called.items() if name in names}
        for contract in found:
            self._touched[contract].append(reason)
        return bool(found)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Which definitions of a file run: by contract, and while anything is imported."""

    called: Mapping[str, frozenset[str]]
    imported: frozenset[str]

    @classmethod
    def of(cls, text: bytes, traced: Traced, path: str) -> _Runs:
        def named(places: set[Place]) -> frozenset[str]:
            return frozenset(definitions_at(text, [line for file, line in places if file == path]))

        return cls({name: named(places) for name, places in traced.called.items()}, named(traced.imported))


def _named(path: Path, root: Path) -> str:
    """A path as the repository names it; as it is where it lies outside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
