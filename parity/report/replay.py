"""Goldens replayed: one row a contract, and what is said of a golden that a stack does not hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from parity.contract import Contract
from parity.golden.record import Golden
from parity.golden.regenerate import Regenerated
from parity.golden.replay import Replay
from parity.report.messages import finding, told
from parity.report.terminal import counted, in_bounds


def replay_table(replays: Iterable[Replay]) -> RenderableType:
    """By contract: its goldens, the worst of each stack, how far each has moved since, and what they were held to."""
    groups: dict[str, list[Replay]] = {}
    for replay in replays:
        groups.setdefault(replay.golden.contract, []).append(replay)
    stacks = sorted({stack for group in groups.values() for replay in group for stack in replay.moved})
    table = Table(box=None, pad_edge=False, header_style="bold")
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
    """What is wrong on a golden, and the command that repeats it."""
    name = replay.golden.name
    command = shlex.join(["parity", "golden", "replay", name, *options])
    worst = next(iter(replay.verdict.failures), None)
    return f"golden {name}\n" + told(contract, replay.verdict, worst, {"reproduce": command})


def outside_message(contract: Contract, regenerated: Regenerated) -> str:
    """What keeps a stack from being frozen in a golden."""
    name = regenerated.new.name
    lines = (f"  {finding(contract, worst)}" for worst in regenerated.outside.values())
    return "\n".join((f"golden {name}: outside the bounds that it would have now", *lines))


def promoted_line(golden: Golden) -> str:
    """What became of a case."""
    withheld = "".join(f"; {stack} withheld: {why}" for stack, why in golden.provenance["withheld"].items())
    return f"{golden.name}: tells {counted(len(golden.proof), 'mistake')} from the truth{withheld}"


def _of_stack(stack: str, group: Sequence[Replay]) -> tuple[str, str]:
    worst = [replay.verdict.worst[stack] for replay in group if stack in replay.verdict.worst]
    moved = [replay.moved[stack] for replay in group if replay.moved.get(stack) is not None]
    return in_bounds(max(worst, default=None)), "–" if not moved else _step(max(m for m in moved if m is not None))


def _step(moved: float) -> str:
    return "0" if moved == 0 else in_bounds(moved)


def _summary(replays: Sequence[Replay]) -> str:
    off = sum(not replay.verdict.agrees for replay in replays)
    alone = _alone(replays)
    said = f"{counted(len(replays), 'golden')}: {f'{off} disagree' if off else 'all agree'}"
    held = "with the oracle and with what the other stack returned"
    return f"{said} {held}" + (f"; with the oracle alone: {alone}" if alone else "")


def _alone(replays: Sequence[Replay]) -> str:
    """The goldens in which nothing is stored of the other stack."""
    names = [replay.golden.name for replay in replays if not all(_held(replay.held_to))]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _held(held_to: Mapping[str, tuple[str, ...]]) -> Iterable[bool]:
    return (bool(others) for others in held_to.values())
