"""The commands that change goldens: each with a reason, from committed code, by a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import AGREE, exit_code
from parity._ground.errors import UsageError
from parity._ground.repository import ROOT
from parity.cli.golden.options import (
    chosen,
    contract_of,
    engaged_on_goldens,
    fixtures_option,
    names_argument,
    reason_option,
)
from parity.cli.options import data_option, stacks_option
from parity.cli.progress import progress
from parity.contracts.cases.case import Case, parse_case
from parity.contracts.cases.datasets import read_dataset
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.goldens.choice import choose
from parity.goldens.folder import GoldenSet, recover
from parity.goldens.message import outside_message, promoted_line
from parity.goldens.provenance import (
    HARNESS,
    PACKAGES,
    Stamp,
    head,
    require_committed,
    require_committed_code,
    require_person,
    require_reason,
    uncommitted,
    uncommitted_code,
)
from parity.goldens.publish import publish
from parity.goldens.record import Golden, golden_name
from parity.goldens.regenerate import Regenerated, as_claimed, promote, regenerate
from parity.goldens.tables import difference_summary, drift_table
from parity.physics.precision import FLOAT32, PRECISIONS, Precision
from parity.report.terminal import console, counted
from parity.stacks import declared
from parity.stacks.base import Framework
from parity.stacks.foreign import Foreign


@click.command("regen")
@names_argument
@reason_option
@click.option("--inputs", "resimulate", is_flag=True, help="Simulate the inputs again, too.")
@fixtures_option
def regen_command(names: tuple[str, ...], reason: str, resimulate: bool, fixtures: Path) -> int:
    """Recompute goldens from their stored inputs.

    You see how far each array moved. If a stack is outside its bounds on one of the goldens, nothing is written.

    NAME is a golden such as losses.mae/even-0, a contract such as losses.mae, or a file of contracts such as losses.
    """
    goldens = _to_be_changed(fixtures, reason, (*HARNESS, *PACKAGES))
    require_committed_code(declared().values())
    meant = chosen(names, goldens.names)
    stamp = _stamp(reason, engaged_on_goldens(()))
    found = _regenerated([goldens.golden(name) for name in meant], stamp, resimulate)
    out = console()
    outside = [one for one in found if one.outside]
    out.print(drift_table([drift for one in found if not one.outside for drift in one.drifts]))
    for one in outside:
        out.print(Text(f"\n{outside_message(contract_of(one.old), one)}"), soft_wrap=True)
    if outside:
        out.print(f"nothing was written: {counted(len(outside), 'golden')} would hold what is wrong")
        return exit_code(wrong=True)
    changed = {one.new.name: one.new for one in found if one.new is not one.old}
    gone = [one.old.name for one in found if one.new.name != one.old.name]
    difference = publish(fixtures, goldens, changed, stamp, gone)
    out.print(difference_summary(difference), soft_wrap=True)
    out.print(f"{counted(len(changed), 'golden')} of {len(meant)} written to {fixtures}", soft_wrap=True)
    return AGREE


def _regenerated(goldens: Sequence[Golden], stamp: Stamp, resimulate: bool) -> list[Regenerated]:
    found = []
    with progress("recomputing", len(goldens)) as advance:
        for golden in goldens:
            found.append(regenerate(golden, contract_of(golden), stamp, resimulate))
            advance()
    return found


@click.command("promote")
@click.argument("names", nargs=-1, required=True, metavar="CONTRACT...")
@click.option("--case", metavar="STRATUM/SEED", help="Freeze this case, such as odd/17.")
@click.option(
    "--precision", type=click.Choice(list(PRECISIONS)), help="Freeze the case in this precision.  [default: f32]"
)
@data_option
@stacks_option
@reason_option
@fixtures_option
def promote_command(
    names: tuple[str, ...],
    case: str | None,
    precision: str | None,
    data: Path | None,
    stacks: tuple[str, ...],
    reason: str,
    fixtures: Path,
) -> int:
    """Freeze a case as a golden.

    Without --case the command chooses the cases: few and small ones, which together tell every fault that the strata
    of the contract tell. You can freeze a case that fails: the golden then leaves out the results that a stack gets
    wrong, until the stack is right.
    """
    if data and not case:
        raise UsageError("--case: expected measured/N, the number of an exposure of --data, got nothing")
    if precision and not case:
        raise UsageError("--case: expected the case to freeze in --precision, got nothing")
    contracts = REGISTRY.select(names)
    dataset = read_dataset(data) if data else None
    wanted = PRECISIONS[precision] if precision else FLOAT32
    goldens = _to_be_changed(fixtures, reason, HARNESS)
    stamp = _stamp(reason, engaged_on_goldens(stacks))
    contracts = _claimed(contracts, stamp)
    asked = [(parse_case(contract, case, dataset), wanted) for contract in contracts if case]
    made = _promoted(asked or _chosen(contracts, goldens), goldens, stamp)
    publish(fixtures, goldens, {golden.name: golden for golden in made}, stamp)
    out = console()
    for golden in made:
        out.print(Text(promoted_line(golden)), soft_wrap=True)
    why = "" if made else ": all that would be chosen are goldens already"
    out.print(f"{counted(len(made), 'golden')} written to {fixtures}{why}", soft_wrap=True)
    return AGREE


def _claimed(contracts: Sequence[Contract], stamp: Stamp) -> tuple[Contract, ...]:
    """Those that a stack binds, on what the stacks claim to do. UsageError for none."""
    bound = [contract for contract in contracts if any(stack.binds(contract) for stack in stamp.frameworks)]
    if not bound:
        names = " or ".join(framework.name for framework in stamp.frameworks)
        raise UsageError(f"{contracts[0].name}: expected a contract that {names} binds, got one that is not bound")
    return tuple(as_claimed(contract, stamp.frameworks) for contract in bound)


def _chosen(contracts: Sequence[Contract], goldens: GoldenSet) -> list[tuple[Case, Precision]]:
    """The cases to freeze that are not goldens yet, each in its precision."""
    found: list[tuple[Case, Precision]] = []
    with progress("choosing", len(contracts)) as advance:
        for contract in contracts:
            candidates = ((candidate.case, candidate.precision) for candidate in choose(contract))
            found += [pair for pair in candidates if _name_of(*pair) not in goldens.names]
            advance()
    return found


def _promoted(cases: Sequence[tuple[Case, Precision]], goldens: GoldenSet, stamp: Stamp) -> list[Golden]:
    made = []
    dirty = _uncommitted_stacks(stamp)
    with progress("freezing", len(cases)) as advance:
        for case, precision in cases:
            golden = promote(case, precision, stamp, dirty)
            if golden.name in goldens.names:
                raise UsageError(
                    f"{golden.name}: expected a case that is no golden yet, got one that is; "
                    "`parity golden regen` brings it up to date"
                )
            made.append(golden)
            advance()
    return made


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@reason_option
@fixtures_option
def remove_command(names: tuple[str, ...], reason: str, fixtures: Path) -> int:
    """Remove goldens.

    The command writes your reason into the history.
    """
    goldens = _to_be_changed(fixtures, reason, ())
    gone = chosen(names, goldens.names)
    publish(fixtures, goldens, {}, _stamp(reason), gone)
    console().print(f"{counted(len(gone), 'golden')} removed from {fixtures}: {', '.join(gone)}", soft_wrap=True)
    return AGREE


def _to_be_changed(fixtures: Path, reason: str, packages: Sequence[str]) -> GoldenSet:
    """The set to be changed, an empty one where there is none yet.

    Raises UsageError in CI, without a reason, and where `packages` have uncommitted changes.
    """
    require_person()
    require_reason(reason)
    if not declared():  # a harness that is a stranger there has a version
        require_committed(packages)
    recover(fixtures)
    return GoldenSet.read(fixtures) if fixtures.exists() else GoldenSet.empty()


def _stamp(reason: str, frameworks: tuple[Framework, ...] = ()) -> Stamp:
    root = next((subject.root for subject in declared().values()), ROOT)
    return Stamp(require_reason(reason), head(root), frameworks)


def _uncommitted_stacks(stamp: Stamp) -> dict[str, str]:
    """By stack, a file of it that has changed since the commit."""
    changed = {
        framework.name: uncommitted_code(framework.subject)
        if isinstance(framework, Foreign)
        else uncommitted((framework.stack.package,))
        for framework in stamp.frameworks
    }
    return {stack: files[0] for stack, files in changed.items() if files}


def _name_of(case: Case, precision: Precision) -> str:
    return golden_name(case.contract.name, case.stratum.name, case.seed, precision)
