"""Goldens replayed: one row a contract, and what is said of a golden that a stack does not hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from parity.contracts.contract import Contract
from parity.goldens.record import Golden
from parity.goldens.regenerate import Regenerated
from parity.goldens.replay import Replay
from parity.report.messages import finding, headline
from parity.report.terminal import bare_table, counted, in_bounds


def replay_table(replays: Iterable[Replay]) -> RenderableType:
    """By contract: its goldens, the worst of each stack, how far each has moved since, and what they were held to."""
    groups: dict[str, list[Replay]] = {}
    for replay in replays:
        groups.setdefault(replay.golden.contract, []).append(replay)
    stacks = sorted({stack for group in groups.values() for replay in group for stack in replay.moved})
    table = bare_table()
    table.add_column("contract", no_wrap=True)
    table.add_column("goldens", justify="right")
    for stack in stacks:
        table.add_column(stack, justify="right", min_width=len(stack))
        table.add_column("moved", justify="right")
    table.add_column("verdict", no_wrap=True)
    for contract, group in groups.items():
        off = sum(not replay.verdict.agrees for replay in group)
        table.add_row(
            contract,
            str(len(group)),
            *(cell for stack in stacks for cell in _of_stack(stack, group)),
            Text(f"{off} of {len(group)} disagree", "bold red") if off else Text("agree", "green"),
        )
    legend = Text(
        "Stacks: worst error in units of the stored bound (≤ 1 agrees). moved: how far what a stack returns has moved "
        "since it was stored, in the same units.",
        style="dim",
    )
    return Group(table, legend, Text(), Text(_summary([replay for group in groups.values() for replay in group])))


def replay_message(contract: Contract, replay: Replay, options: Sequence[str] = ()) -> str:
    """What is wrong on a golden, how it was frozen, and the command that repeats it."""
    golden, verdict = replay.golden, replay.verdict
    quantities = dict.fromkeys(measurement.quantity.text for measurement in verdict.failures)
    lines = [
        f"golden {golden.name}: {headline(verdict, golden.outputs)}",
        *(f"  {finding(contract, worst)}" for worst in verdict.failures[:1]),
        f"  off: {', '.join(quantities)}" if quantities else f"  {verdict.reason}",
        f"  frozen: {_frozen(golden)}",
        f"  reproduce: {shlex.join(['parity', 'golden', 'replay', golden.name, *options])}",
    ]
    return "\n".join(lines)


def _frozen(golden: Golden) -> str:
    """When, at which commit and of which versions, and why."""
    origin = golden.provenance
    versions = ", ".join(f"{stack} {origin['versions'][stack]}" for stack in golden.outputs)
    return f"{origin['date']} at {origin['commit'][:10]}, {versions or 'no stack'}: {origin['reason']}"


def outside_message(contract: Contract, regenerated: Regenerated) -> str:
    """What keeps a stack from being frozen in a golden."""
    name = regenerated.new.name
    lines = (f"  {finding(contract, worst)}" for worst in regenerated.outside.values())
    return "\n".join((f"golden {name}: outside the bounds that it would have now", *lines))


def promoted_line(golden: Golden) -> str:
    """What became of a case."""
    withheld = "".join(f"; {stack} withheld: {why}" for stack, why in golden.provenance["withheld"].items())
    return f"{golden.name}: tells {counted(len(golden.proof), 'fault')} from the truth{withheld}"


def _of_stack(stack: str, group: Sequence[Replay]) -> tuple[str, str]:
    worst = [replay.verdict.worst[stack] for replay in group if stack in replay.verdict.worst]
    moved = [step for replay in group if (step := replay.moved.get(stack)) is not None]
    return in_bounds(max(worst, default=None)), in_bounds(max(moved)) if any(moved) else "0" if moved else "–"


def _summary(replays: Sequence[Replay]) -> str:
    number = counted(len(replays), "golden")
    off = sum(not replay.verdict.agrees for replay in replays)
    if off:
        return f"{off} of {number} disagree{'s' if off == 1 else ''}"
    alone = [replay.golden.name for replay in replays if not all(_held(replay.held_to))]
    agree = f"{number} agree{'s' if len(replays) == 1 else ''} with the oracle and with what the other stack returned"
    return f"{agree}, of which nothing is stored in {', '.join(alone)}" if alone else agree


def _held(held_to: Mapping[str, tuple[str, ...]]) -> Iterable[bool]:
    return (bool(others) for others in held_to.values())
