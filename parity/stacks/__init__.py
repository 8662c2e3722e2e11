"""The stacks under test and their frameworks, found when they are used and never imported unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from parity._ground.errors import UsageError
from parity._ground.repository import ROOT, holds_stacks
from parity.contracts.cases.domain import Domain, shared
from parity.contracts.contract import did_you_mean
from parity.stacks.base import Framework, Stack, modes_of
from parity.stacks.declaration import Key, nearest
from parity.stacks.foreign import Foreign
from parity.stacks.here import Here
from parity.stacks.remote import Remote
from parity.stacks.seat import LIMIT
from parity.stacks.subjects import FRAMEWORKS, Subject, subjects_in

AnyFramework = TypeVar("AnyFramework", bound=Framework)

MIRRORED: dict[str, Stack] = {
    stack.name: stack
    for stack in (Stack("torch", "torch", "ptycho_torch"), Stack("tensorflow", "tensorflow", "ptycho"))
}
"""The two stacks of this repository, by name, in the order of import."""

STACKS = tuple(sorted(MIRRORED))
"""Their names, in the order in which they are shown and stored."""


def load(names: Iterable[str] = tuple(MIRRORED), mode: str | None = None, device: str = "cpu") -> tuple[Here, ...]:
    """The stacks of this repository that have these names, in this process, their frameworks imported.

    `mode` names one or several, with commas, such as `xla,compiled`: each framework takes the one that it has, and its
    first where none is. Raises UsageError for an unknown name or mode, or for two modes of one framework, and
    FrameworkMissing (whose message says how to install it) for an absent framework.
    """
    return load_stacks(_named(names), mode, device)


def load_stacks(stacks: Sequence[Stack], mode: str | None = None, device: str = "cpu") -> tuple[Here, ...]:
    """Stacks in this process, in the order of import; `mode` is as for `load`.

    Raises UsageError for an unknown framework or mode, for two modes of one framework and two stacks of one name, and
    FrameworkMissing for an absent framework.
    """
    return _made(stacks, mode, lambda stack, asked: Here(stack, asked, device))


def declared() -> Mapping[str, Subject]:
    """The subjects that the repository around the working folder declares, if it is another than this one.

    Raises UsageError for a declaration that is wrong.
    """
    found = subjects_in(Path.cwd())
    return {name: subject for name, subject in found.items() if subject.root != ROOT}


def declaring(folder: Path) -> tuple[Key, Mapping[str, Any]] | None:
    """The harness's table of the repository whose stacks are held in a folder, unread, and its place.

    It is the nearest that declares subjects, or this one; None where neither is there, as where a wheel is installed.
    """
    return nearest(folder) or (nearest(ROOT) if holds_stacks() else None)


def asked_of(names: Iterable[str] = ()) -> tuple[tuple[str, ...], Domain]:
    """The names of the stacks that `engaged` has for these names, and what one or another of them claims to do."""
    known = declared()
    meant = tuple(dict.fromkeys(names)) or tuple(known) or STACKS
    return meant, shared([known[name].claimed for name in meant if name in known])


@contextmanager
def engaged(
    names: Iterable[str] = (),
    mode: str | None = None,
    device: str = "cpu",
    limit: float | None = None,
    in_process: bool = False,
) -> Iterator[tuple[Framework, ...]]:
    """The stacks of these names, all of them for none, each in a process of its own, which ends with the block.

    They are the subjects that are `declared`, or the stacks of this repository where none is. They begin at once and
    side by side; a stack may take `limit` seconds for a contract. `in_process` has the stacks of this repository in
    this process instead, without a limit. Raises as `load` does, but for what only a process can tell: a framework that
    is missing is noticed where it is asked first. UsageError for subjects in a mode, or in this process.
    """
    foreign = declared()
    if in_process and not foreign:
        yield load(names or tuple(MIRRORED), mode, device)
        return
    remote = _subjects(names, foreign, mode, device, limit, in_process) if foreign else _own(names, mode, device, limit)
    try:
        yield remote
    finally:
        for framework in remote:
            framework.end()


def _own(names: Iterable[str], mode: str | None, device: str, limit: float | None) -> tuple[Remote, ...]:
    allowed = limit or LIMIT
    stacks = _named(names or tuple(MIRRORED))
    return _made(stacks, mode, lambda stack, asked: Remote.of_repository(stack, asked, device, allowed))


def _subjects(
    names: Iterable[str],
    known: Mapping[str, Subject],
    mode: str | None,
    device: str,
    limit: float | None,
    in_process: bool,
) -> tuple[Remote, ...]:
    if in_process:
        raise UsageError("in-process: expected stacks of this repository, got subjects, whose packages are somebody's")
    if mode is not None:
        raise UsageError(f"mode: expected none, got '{mode}': subjects are called as they stand")
    for name in names:
        if name not in known:
            raise UsageError(f"unknown subject '{name}'{did_you_mean(name, known)}")
    return tuple(Foreign(known[name], device, limit) for name in names or known)


def _named(names: Iterable[str]) -> list[Stack]:
    chosen = tuple(names)
    for name in chosen:
        if name not in MIRRORED:
            raise UsageError(f"unknown framework '{name}'{did_you_mean(name, MIRRORED)}")
    return [stack for name, stack in MIRRORED.items() if name in chosen]


def _made(
    stacks: Sequence[Stack], mode: str | None, make: Callable[[Stack, str], AnyFramework]
) -> tuple[AnyFramework, ...]:
    """Every stack in its mode, in the order of import."""
    asked = parse_modes(mode) if mode is not None else ()
    for stack in stacks:
        if stack.framework not in FRAMEWORKS:
            raise UsageError(f"unknown framework '{stack.framework}'{did_you_mean(stack.framework, FRAMEWORKS)}")
        if sum(other.name == stack.name for other in stacks) > 1:
            raise UsageError(f"stacks: expected names that differ, got '{stack.name}' twice")
    in_order = sorted(stacks, key=lambda stack: FRAMEWORKS.index(stack.framework))
    modes = {stack.name: _mode_of(stack.framework, asked) for stack in in_order}
    return tuple(make(stack, modes[stack.name]) for stack in in_order)


def in_modes(frameworks: Iterable[AnyFramework], mode: str) -> tuple[AnyFramework, ...]:
    """The same stacks in other modes; `mode` is as for `load`."""
    asked = parse_modes(mode)
    return tuple(framework.in_mode(_mode_of(framework.stack.framework, asked)) for framework in frameworks)


def parse_modes(text: str) -> tuple[str, ...]:
    """Modes from `xla,compiled`. Raises UsageError for any other word."""
    known = {mode for framework in FRAMEWORKS for mode in modes_of(framework)}
    for word in text.split(","):
        if word not in known:
            raise UsageError(f"unknown mode '{word}'{did_you_mean(word, known)}")
    return tuple(dict.fromkeys(text.split(",")))


def _mode_of(framework: str, asked: Sequence[str]) -> str:
    known = [mode for mode in asked if mode in modes_of(framework)]
    if len(known) > 1:
        raise UsageError(f"mode: expected one for {framework}, got {' and '.join(known)}")
    return known[0] if known else modes_of(framework)[0]
