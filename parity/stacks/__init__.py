"""The stacks under test and their frameworks, found when they are used and never imported unasked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parity._ground.errors import UsageError
from parity.contracts.contract import did_you_mean
from parity.stacks.base import Framework, Stack
from parity.stacks.tensorflow import TensorFlow
from parity.stacks.torch import Torch

ADAPTERS: dict[str, type[Framework]] = {"torch": Torch, "tensorflow": TensorFlow}
"""By framework, in the order of import: torch before TensorFlow."""

MIRRORED: dict[str, Stack] = {
    stack.name: stack
    for stack in (Stack("torch", "torch", "ptycho_torch"), Stack("tensorflow", "tensorflow", "ptycho"))
}
"""The two stacks of this repository, by name, in the order of import."""

STACKS = tuple(sorted(MIRRORED))
"""Their names, in the order in which they are shown and stored."""


def load(names: Iterable[str] = tuple(MIRRORED), mode: str | None = None, device: str = "cpu") -> tuple[Framework, ...]:
    """The stacks of this repository that have these names, their frameworks imported.

    `mode` names one or several, with commas, such as `xla,compiled`: each framework takes the one that it has, and its
    first where none is. Raises UsageError for an unknown name or mode, or for two modes of one framework, and
    FrameworkMissing (whose message says how to install it) for an absent framework.
    """
    chosen = tuple(names)
    for name in chosen:
        if name not in MIRRORED:
            raise UsageError(f"unknown framework '{name}'{did_you_mean(name, MIRRORED)}")
    return load_stacks([stack for name, stack in MIRRORED.items() if name in chosen], mode, device)


def load_stacks(stacks: Sequence[Stack], mode: str | None = None, device: str = "cpu") -> tuple[Framework, ...]:
    """Stacks behind their adapters, in the order of import; `mode` is as for `load`.

    Raises UsageError for an unknown framework or mode, for two modes of one framework and two stacks of one name, and
    FrameworkMissing for an absent framework.
    """
    asked = parse_modes(mode) if mode is not None else ()
    for stack in stacks:
        if stack.framework not in ADAPTERS:
            raise UsageError(f"unknown framework '{stack.framework}'{did_you_mean(stack.framework, ADAPTERS)}")
        if sum(other.name == stack.name for other in stacks) > 1:
            raise UsageError(f"stacks: expected names that differ, got '{stack.name}' twice")
    return tuple(
        adapter(stack, _mode_of(framework, asked), device)
        for framework, adapter in ADAPTERS.items()
        for stack in stacks
        if stack.framework == framework
    )


def parse_modes(text: str) -> tuple[str, ...]:
    """Modes from `xla,compiled`. Raises UsageError for any other word."""
    known = {mode for adapter in ADAPTERS.values() for mode in adapter.modes}
    for word in text.split(","):
        if word not in known:
            raise UsageError(f"unknown mode '{word}'{did_you_mean(word, known)}")
    return tuple(dict.fromkeys(text.split(",")))


def _mode_of(framework: str, asked: Sequence[str]) -> str:
    known = [mode for mode in asked if mode in ADAPTERS[framework].modes]
    if len(known) > 1:
        raise UsageError(f"mode: expected one for {framework}, got {' and '.join(known)}")
    return known[0] if known else ADAPTERS[framework].modes[0]
