"""`parity contracts` shows the contracts."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from parity._ground.codes import AGREE, exit_code
from parity.contracts.contract import Contract, Quota
from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import MIRRORS, ORACLE, mirror_faults
from parity.report.terminal import bare_table, console


@click.group("contracts")
def contracts_group() -> None:
    """Show the contracts."""


@contracts_group.command("list")
def list_contracts() -> int:
    """List every contract with its equation.

    The command also reads both stacks' sources and names every breach of the mirror rule. The exit code is 1 if there
    is one.
    """
    out = console()
    table = bare_table("contract", "equation")
    for contract in REGISTRY.values():
        table.add_row(contract.name, Text(contract.equation))
    out.print(table)
    if MIRRORS.keys() == {ORACLE}:
        out.print("the mirror rule: there is no stack beside the harness, so the oracle alone was read", soft_wrap=True)
    faults = mirror_faults(REGISTRY)
    for fault in faults:
        out.print(fault, style="red", markup=False)
    return exit_code(wrong=bool(faults))


@contracts_group.command("show")
@click.argument("name")
def show_contract(name: str) -> int:
    """Show the arguments, strata, facts and quotas of a contract."""
    _print_contract(console(), REGISTRY[name])
    return AGREE


def _print_contract(out: Console, contract: Contract) -> None:
    out.print(Text.assemble((contract.name, "bold"), "   ", contract.equation))
    table = bare_table("", "name", "kind", "axes", "unit", "")
    for argument in contract.arguments:
        table.add_row(
            "argument",
            argument.name,
            argument.kind.name,
            argument.kind.shape_words,
            argument.kind.unit,
            "differentiable" if argument.differentiable else "",
        )
    for result in contract.results:
        table.add_row("result", result.name, result.kind.name, result.kind.shape_words, result.kind.unit, "")
    out.print(table)
    for title, rows in (
        ("strata", [(s.name, s.shows) for s in contract.strata]),
        ("facts", [(f.statement, "") for f in contract.facts]),
        (
            "quotas",
            [
                ("undecided", f"{contract.quota.undecided:.1%} of the elements"),
                ("uninformative", _uninformative(contract.quota)),
            ],
        ),
    ):
        listing = bare_table(title if rows else f"no {title}", "")
        for row in rows:
            listing.add_row(*row)
        out.print()
        out.print(listing)


def _uninformative(quota: Quota) -> str:
    where = "where one precision suffices" if quota.any_precision else "in each precision"
    return f"{quota.uninformative:.1%} of the examples, {where}"
