"""The frameworks under test, found when they are used and never imported unasked."""

from __future__ import annotations

from collections.abc import Iterable

from parity.contract import UsageError, did_you_mean
from parity.frameworks.base import Framework
from parity.frameworks.tensorflow import TensorFlow
from parity.frameworks.torch import Torch

ADAPTERS: dict[str, type[Framework]] = {Torch.name: Torch, TensorFlow.name: TensorFlow}
"""By name, in the order of import: torch before TensorFlow."""


STACKS = tuple(sorted(ADAPTERS))
"""Their names, in the order in which they are shown and stored."""


def load(names: Iterable[str] = tuple(ADAPTERS), mode: str | None = None, device: str = "cpu") -> tuple[Framework, ...]:
    """The adapters of the named frameworks, their frameworks imported.

    `mode` is used by the frameworks that have it; the others keep their own. Raises UsageError for an unknown name
    or mode, FrameworkMissing (whose message says how to install it) for an absent framework.
    """
    chosen = tuple(names)
    for name in chosen:
        if name not in ADAPTERS:
            raise UsageError(f"unknown framework '{name}'{did_you_mean(name, ADAPTERS)}")
    modes = {known for adapter in ADAPTERS.values() for known in adapter.modes}
    if mode is not None and mode not in modes:
        raise UsageError(f"unknown mode '{mode}'{did_you_mean(mode, modes)}")
    return tuple(
        adapter(mode if mode in adapter.modes else adapter.modes[0], device)
        for name, adapter in ADAPTERS.items()
        if name in chosen
    )
