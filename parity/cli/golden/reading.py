"""The commands that look at goldens and change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from parity._ground.codes import AGREE, exit_code
from parity.cli.golden.options import chosen, contract_of, engaged_on_goldens, fixtures_option, names_argument, repeated
from parity.cli.options import device_option, report_option, stacks_option
from parity.cli.progress import progress
from parity.contracts.declared import REGISTRY
from parity.goldens.difference import sets
from parity.goldens.drift import Nature
from parity.goldens.folder import GoldenSet, recover
from parity.goldens.history import read_history
from parity.goldens.history_picture import draw_history
from parity.goldens.manifest import verified
from parity.goldens.message import replay_message, replay_table
from parity.goldens.provenance import today
from parity.goldens.recomputed import as_computed, unlike_the_oracle
from parity.goldens.record import Golden
from parity.goldens.replay import Replay, replay
from parity.goldens.tables import ListedGolden, difference_summary, drift_table, golden_table, history_table
from parity.judging.verdict import UNJUDGED, Outcome
from parity.report.pictures import require_matplotlib
from parity.report.terminal import console, counted
from parity.stacks.base import Framework


@click.command("verify")
@fixtures_option
def verify_command(fixtures: Path) -> int:
    """Check the goldens against their manifest and the oracle.

    The command compares every byte and every array, and has the oracle compute all values and bounds again from the
    stored inputs. It imports no framework. The goldens of this repository take 3 s.

    The exit code is 1 if a value or a bound is not the oracle's, and 3 if a file is not whole.
    """
    recover(fixtures)
    faults, files = verified(fixtures)
    out = console()
    for fault in faults:
        _say(out, str(fault), "red")
    if faults:
        _say(out, f"{fixtures}: {counted(len(faults), 'fault')}; nothing here can be relied on")
        return exit_code(unchecked=True)
    goldens, said = GoldenSet(files), {}
    with progress("computing again", len(goldens.names)) as advance:
        for name in goldens.names:
            golden = goldens.golden(name)
            said[name] = list(unlike_the_oracle(golden, contract_of(golden)))
            advance()
    off = [name for name, lines in said.items() if lines]
    for line in (line for name in off for line in said[name]):
        _say(out, line, "red")
    unlike = f"; {len(off)} not as the oracle computes" if off else ""
    _say(out, f"{fixtures}: {counted(len(goldens.names), 'golden')}, whole{unlike}")
    return exit_code(wrong=bool(off))


def _say(out: Console, line: str, style: str = "") -> None:
    out.print(Text(line, style), soft_wrap=True)


@click.command("replay")
@names_argument
@stacks_option
@device_option
@fixtures_option
def replay_command(names: tuple[str, ...], stacks: tuple[str, ...], device: str, fixtures: Path) -> int:
    """Run the stacks on the stored inputs of goldens.

    Each stack is held to the stored results of the oracle, and to what the other stack once returned. With --stack you
    need not install the other framework.

    NAME is a golden such as losses.mae/even-0, a contract such as losses.mae, or a file of contracts such as losses.
    """
    goldens = GoldenSet.read(fixtures)
    meant = chosen(names, goldens.names)
    held = [as_computed(golden, contract_of(golden)) for golden in map(goldens.golden, meant)]
    frameworks = engaged_on_goldens(stacks, device)
    out = console()
    out.print(Text(" · ".join(framework.description for framework in frameworks), "dim"))
    replays = _replayed(held, frameworks)
    out.print(replay_table(replays))
    options = repeated(click.get_current_context())
    for replayed in replays:
        if not replayed.verdict.agrees:
            message = replay_message(REGISTRY[replayed.golden.contract], replayed, options)
            out.print(Text(f"\n{message}"), soft_wrap=True)
    outcomes = {replayed.verdict.outcome for replayed in replays}
    return exit_code(wrong=Outcome.DISAGREE in outcomes, unchecked=bool(outcomes & UNJUDGED))


def _replayed(goldens: Sequence[Golden], frameworks: Sequence[Framework]) -> list[Replay]:
    replays = []
    with progress("replaying", len(goldens)) as advance:
        for golden in goldens:
            replays.append(replay(golden, contract_of(golden), frameworks))
            advance()
    return replays


@click.command("list")
@names_argument
@fixtures_option
def list_command(names: tuple[str, ...], fixtures: Path) -> int:
    """List the goldens.

    You see the size and the age of each golden, why it last changed, and the contracts that have no golden.
    """
    goldens = GoldenSet.read(fixtures)
    meant = chosen(names, goldens.names) if names or goldens.names else ()
    rows = [ListedGolden(goldens.golden(name), len(goldens.files[f"{name}.npz"])) for name in meant]
    total = sum(len(content) for content in goldens.files.values())
    contracts = REGISTRY if not names else dict.fromkeys(row.golden.contract for row in rows)
    console().print(golden_table(rows, contracts, today(), total))
    return AGREE


@click.command("diff")
@click.argument("old")
@click.argument("new")
@fixtures_option
def diff_command(old: str, new: str, fixtures: Path) -> int:
    """Compare two sets of goldens.

    OLD and NEW are folders or git revisions. You see how far each array moved, and whether rounding explains it. The
    exit code is 1 if it does not.
    """
    difference = sets(old, new, fixtures)
    out = console()
    if difference.drifts:
        out.print(drift_table(difference.worst))
    out.print(difference_summary(difference), soft_wrap=True)
    return exit_code(wrong=difference.nature is Nature.SEMANTIC)


@click.command("history")
@report_option("Draw the history into this folder.")
@fixtures_option
def history_command(folder: Path | None, fixtures: Path) -> int:
    """Show every change of the goldens.

    You see when each change was made, by which commit, with which versions, and how far it moved each golden.
    """
    if folder:
        require_matplotlib("the history")
    entries = read_history(GoldenSet.read(fixtures).history)
    out = console()
    out.print(history_table(entries))
    for path in draw_history(folder, entries) if folder and entries else ():
        out.print(f"history: {path}", soft_wrap=True)
    return AGREE
