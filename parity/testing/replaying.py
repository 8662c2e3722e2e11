"""Replaying goldens in a test session."""

from __future__ import annotations

import pytest

from parity.contracts.contract import Contract
from parity.goldens.errors import GoldenError
from parity.goldens.folder import GoldenSet
from parity.goldens.message import replay_message
from parity.goldens.recomputed import as_computed
from parity.goldens.replay import replay
from parity.stacks.base import Framework


class Goldens:
    """What was frozen, and the stacks that are held to it; `alone` is the one stack, if there is only one."""

    def __init__(self, stored: GoldenSet, frameworks: tuple[Framework, ...], alone: str | None) -> None:
        self._stored = stored
        self._frameworks = frameworks
        self._options = ("--stack", alone) if alone else ()

    def replay(self, contract: Contract) -> None:
        """Replay every golden of a contract, and fail the test if a stack does not hold one, or if there is none."""
        names = [name for name in self._stored.names if name.startswith(f"{contract.name}/")]
        if not names:
            pytest.fail(
                f"{contract.name}: expected a golden, got none: "
                f"parity golden promote {contract.name} --reason 'a new contract'",
                pytrace=False,
            )
        messages = [message for name in names if (message := self._message(contract, name))]
        if messages:
            pytest.fail("\n".join(messages), pytrace=False)

    def _message(self, contract: Contract, name: str) -> str | None:
        try:
            golden = as_computed(self._stored.golden(name), contract)
            replayed = replay(golden, contract, self._frameworks)
        except GoldenError as error:
            return str(error)
        return None if replayed.verdict.agrees else replay_message(contract, replayed, self._options)
