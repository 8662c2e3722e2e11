"""What the harness computes of fixed cases, beside what the base's computes of them: whatever is held less tightly.

Both are computed by `figures.py`, each tree in a Python of its own, while contracts are held. A bound that grew, a
value that moved, a case that is another, an element that is no longer judged and something wrong that the judge no
longer notices are each said, in a sentence a contract.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity._ground.git import extract, git
from parity.gate.check.declarations import HARNESS, PACKAGES, DeclarationsUnreadable
from parity.gate.check.figures import ALLOWED, EXACT, INPUT, ROUNDING, VALUE, Name

GREW = 1.01
"""A bound that is so many times what it was is no longer that bound; rounding moves none by so much."""

LIMIT = 600.0
"""Seconds that the figures of one tree may take."""

_PROGRAM, _JUDGE, _HARNESS = Path("parity/gate/check/figures.py"), "the judge", "the harness"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one harness computes: arrays by name, and what its judge notices."""

    arrays: Mapping[Name, NDArray[np.generic]]
    noticed: Mapping[str, bool]

    @classmethod
    def read(cls, file: Path) -> Figures:
        stored = np.load(file, allow_pickle=False)
        said = json.loads(str(stored["names"]))
        return cls(_Stored(stored, [Name(*name) for name in said["names"]]), said["noticed"])


class _Stored(Mapping[Name, NDArray[np.generic]]):
    """Arrays of an archive, each read when it is asked for: all at once would be much."""

    def __init__(self, archive: Mapping[str, NDArray[np.generic]], names: Sequence[Name]) -> None:
        self._archive, self._numbers = archive, {name: str(number) for number, name in enumerate(names)}

    def __getitem__(self, name: Name) -> NDArray[np.generic]:
        return self._archive[self._numbers[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __iter__(self) -> Iterator[Name]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


Loosened = tuple[str, str]
"""The contract, and a sentence."""


@contextmanager
def being_compared(root: Path, commit: str, wanted: bool = True) -> Iterator[Callable[[], Iterator[Loosened]]]:
    """Begin to compute the figures of a tree and of a commit; what the block gets waits for them, and compares.

    It raises DeclarationsUnreadable where they cannot be computed. Nothing is compared if it is not `wanted`, nor with
    what had no harness.
    """
    present = git(root, "ls-tree", "--name-only", commit, "--", *PACKAGES).decode().split() if wanted else []
    if HARNESS not in present:
        yield lambda: iter(())
        return
    with tempfile.TemporaryDirectory(prefix="parity-base-") as temporary:
        base = Path(temporary) / "base"
        base.mkdir()
        extract(root, commit, base, *present)
        programs = [folder / _PROGRAM for folder in (base, root) if (folder / _PROGRAM).is_file()]
        begun = _begin(programs[0], base, root)
        try:
            yield lambda: _compared(begun, programs, base, root, commit)
        finally:
            for one in begun:
                one.kill()
                one.communicate()


def _begin(program: Path, *folders: Path) -> list[subprocess.Popen[str]]:
    """Compute figures in the place beside each folder's base, all at once."""
    return [
        subprocess.Popen(
            [sys.executable, "-I", str(program), str(folder), str(file)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        for folder, file in zip(folders, _files(folders[0].parent), strict=True)
    ]


def _files(folder: Path) -> tuple[Path, Path]:
    return folder / "was.npz", folder / "now.npz"


def _compared(
    begun: list[subprocess.Popen[str]], programs: list[Path], base: Path, root: Path, commit: str
) -> Iterator[Loosened]:
    """As the base's program has it, which may not know the harness as it is now; then as this one's has it."""
    failed = [_failure(one) for one in begun]
    if any(failed) and len(programs) > 1:
        begun += _begin(programs[1], base, root)
        failed = [_failure(one) for one in begun[2:]]
    if failed[0]:
        raise DeclarationsUnreadable(f"expected the figures of the base's harness, got: {failed[0]}")
    if failed[1]:
        return iter([(_HARNESS, f"it cannot compute the cases of its contracts any more: {failed[1]}")])
    was, now = (Figures.read(file) for file in _files(base.parent))
    return loosened(was, now, commit[:12])


def _failure(one: subprocess.Popen[str]) -> str:
    """Why a program has no figures, once it has ended; "" where it has."""
    try:
        _, said = one.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        one.kill()
        return f"nothing within {LIMIT:g} s"
    return (said.strip().splitlines() or ["no word"])[-1] if one.returncode else ""


def loosened(was: Figures, now: Figures, base: str) -> Iterator[Loosened]:
    """What is held less tightly than it was at the base, the worst of each sort in each contract."""
    for what, seen in was.noticed.items():
        if seen and not now.noticed.get(what, False):
            yield _JUDGE, f"it no longer notices: {what}"
    worst: dict[tuple[str, str], tuple[float, str]] = {}
    count: defaultdict[tuple[str, str], int] = defaultdict(int)
    others = _other_cases(was, now)
    for name in was.arrays:
        for size, sort, said in _differences(name, was, now, base):
            if sort != INPUT and (name.contract, name.where.partition(" ")[0]) in others:
                continue  # of other inputs other figures are to be expected
            key = name.contract, sort
            count[key] += 1
            if key not in worst or size > worst[key][0]:
                worst[key] = size, said
    for key, (_, said) in worst.items():
        more = f", and so {count[key] - 1} times more" if count[key] > 1 else ""
        yield key[0], said + more


def _other_cases(was: Figures, now: Figures) -> set[tuple[str, str]]:
    """The cases, by contract, whose inputs are not what they were."""
    return {
        (name.contract, name.where)
        for name, array in was.arrays.items()
        if name.part == INPUT and not (name in now.arrays and _are_equal(array, now.arrays[name]))
    }


def _differences(name: Name, was: Figures, now: Figures, base: str) -> Iterator[tuple[float, str, str]]:
    """How much, of what sort, and in words."""
    before, after = was.arrays[name], now.arrays.get(name)
    where = f" in {name.where}" if name.where else ""
    if after is None or after.shape != before.shape:
        yield 0.0, INPUT if name.part == INPUT else EXACT, f"{name.what}{where} is no longer what it was at {base}"
    elif name.part == INPUT:
        if not _are_equal(before, after):
            yield 0.0, INPUT, f"the case {name.where} is another than at {base}: {name.what} differs"
    elif name.part == EXACT:
        if not _are_equal(before, after):
            yield 0.0, EXACT, f"{name.what}{where} is another than at {base}"
    elif name.part == ALLOWED:
        grew = _growth(before, after)
        if np.isinf(grew):
            yield grew, ALLOWED, f"{name.what} has no bound any more{where}, which it had at {base}"
        elif grew > GREW:
            said = (
                f"the bound of {name.what} grew by up to {grew:.2g} times since {base} on the same cases, most{where}"
            )
            yield grew, ALLOWED, said
    elif name.part == VALUE:
        moved = _movement(before, after, was.arrays[name._replace(part=ROUNDING)])
        if moved > 1:
            yield moved, VALUE, f"{name.what} moved by {moved:.2g} times what rounding can do since {base}, most{where}"


def _are_equal(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _growth(before: NDArray[np.generic], after: NDArray[np.generic]) -> float:
    """The most that a bound has grown by: none is infinite, and what had none cannot grow."""
    known = np.isfinite(before)
    if not known.any():
        return 0.0
    return float(np.nan_to_num(np.asarray(after)[known] / np.asarray(before)[known], nan=np.inf, posinf=np.inf).max())


def _movement(before: NDArray[np.generic], after: NDArray[np.generic], rounding: NDArray[np.generic]) -> float:
    """The most that a value has moved by, in units of what rounding can do."""
    with np.errstate(all="ignore"):
        same = (
            (before == after) | (np.isnan(before) & np.isnan(after)) if before.dtype.kind in "fc" else before == after
        )
        apart = np.where(same, 0.0, np.abs(np.asarray(after, complex) - before) / rounding)
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))
