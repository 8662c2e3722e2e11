"""What several commands on goldens have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from parity.cli.options import not_default
from parity.contracts.contract import Contract, UsageError, did_you_mean
from parity.contracts.declared import REGISTRY
from parity.goldens.errors import GoldenError
from parity.goldens.record import Golden

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


def chosen(names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The goldens meant: all for no name. `losses` is a file of contracts, `losses.mae` all goldens of one contract.

    Raises UsageError for a name that stands for none, and where there are none to mean.
    """
    known = tuple(known)
    if not known:
        raise UsageError("there are no goldens yet; `parity golden promote` freezes cases of a contract")
    found: dict[str, None] = {}
    for name in names or ("",):
        members = [golden for golden in known if _is_meant(name, golden)]
        if not members:
            contracts = {golden.split("/")[0] for golden in known}
            raise UsageError(f"no golden is called '{name}'{did_you_mean(name, (*known, *contracts))}")
        found.update(dict.fromkeys(members))
    return tuple(found)


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


def _is_meant(name: str, golden: str) -> bool:
    return not name or golden == name or golden.startswith(tuple(f"{name}{border}" for border in ".@/"))
