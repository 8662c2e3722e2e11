"""The frameworks under test, found when they are used and never imported unasked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from parity.contracts.contract import UsageError, did_you_mean
from parity.stacks.base import Framework
from parity.stacks.tensorflow import TensorFlow
from parity.stacks.torch import Torch

ADAPTERS: dict[str, type[Framework]] = {Torch.name: Torch, TensorFlow.name: TensorFlow}
"""By name, in the order of import: torch before TensorFlow."""


STACKS = tuple(sorted(ADAPTERS))
"""Their names, in the order in which they are shown and stored."""


def load(names: Iterable[str] = tuple(ADAPTERS), mode: str | None = None, device: str = "cpu") -> tuple[Framework, ...]:
    """The adapters of the named frameworks, their frameworks imported.

    `mode` names one or several, with commas, such as `xla,compiled`: each framework takes the one that it has, and its
    first where none is. Raises UsageError for an unknown name or mode, or for two modes of one framework, and
    FrameworkMissing (whose message says how to install it) for an absent framework.
    """
    chosen = tuple(names)
    for name in chosen:
        if name not in ADAPTERS:
            raise UsageError(f"unknown framework '{name}'{did_you_mean(name, ADAPTERS)}")
    asked = parse_modes(mode) if mode is not None else ()
    return tuple(
        adapter(mode, device)
        for adapter, mode in [(ADAPTERS[name], _mode_of(name, asked)) for name in ADAPTERS if name in chosen]
    )


def parse_modes(text: str) -> tuple[str, ...]:
    """Modes from `xla,compiled`. Raises UsageError for any other word."""
    known = {mode for adapter in ADAPTERS.values() for mode in adapter.modes}
    for word in text.split(","):
        if word not in known:
            raise UsageError(f"unknown mode '{word}'{did_you_mean(word, known)}")
    return tuple(dict.fromkeys(text.split(",")))


def _mode_of(name: str, asked: Sequence[str]) -> str:
    known = [mode for mode in asked if mode in ADAPTERS[name].modes]
    if len(known) > 1:
        raise UsageError(f"mode: expected one for {name}, got {' and '.join(known)}")
    return known[0] if known else ADAPTERS[name].modes[0]
