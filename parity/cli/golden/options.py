"""What several commands on goldens have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from parity._ground.errors import UsageError
from parity.cli.options import engage, not_default
from parity.contracts.contract import Contract, did_you_mean, selected
from parity.contracts.declared import REGISTRY
from parity.goldens.errors import GoldenError
from parity.goldens.freeze import MODE
from parity.goldens.record import Golden
from parity.stacks import declared
from parity.stacks.base import Framework

FIXTURES = Path("fixtures/golden")
"""Where goldens lie in a repository."""

fixtures_option = click.option(
    "--fixtures",
    type=click.Path(path_type=Path),
    default=FIXTURES,
    show_default=True,
    help="Use the goldens in this folder.",
)
reason_option = click.option("--reason", required=True, help="Tell the reviewer why.")
names_argument = click.argument("names", nargs=-1, metavar="[NAME]...")


def chosen(names: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """The goldens meant, all for no name; `selected` says what a name can be. UsageError where there are none yet."""
    if not known:
        raise UsageError("there are no goldens yet; `parity golden promote` freezes cases of a contract")
    return selected(names, known, "golden")


def engaged_on_goldens(names: Sequence[str], device: str = "cpu") -> tuple[Framework, ...]:
    """The stacks of these names, all for none, as they run on goldens, until the command ends."""
    return engage(names, None if declared() else MODE, device)


def repeated(context: click.Context) -> list[str]:
    """The options that decide what a replay says, as they are written again in the line that repeats it."""
    fixtures = context.params["fixtures"]
    return not_default(context) + ([] if fixtures == FIXTURES else ["--fixtures", str(fixtures)])


def contract_of(golden: Golden) -> Contract:
    """The contract that a golden belongs to. Raises GoldenError where there is none any more."""
    if golden.contract not in REGISTRY:
        raise GoldenError(
            f"{golden.name}: expected a golden of a contract, got one of {golden.contract}, which does not exist"
            f"{did_you_mean(golden.contract, REGISTRY)}"
        )
    return REGISTRY[golden.contract]
