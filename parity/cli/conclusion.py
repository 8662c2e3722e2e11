"""How a run ends, in one process, in several, or put together from files: table, messages, files, exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from parity._ground.codes import exit_code
from parity.cli import RESULTS
from parity.contracts.declared import REGISTRY
from parity.judging.divergences.faults import divergence_faults
from parity.judging.divergences.registry import accepted_in, registered
from parity.judging.run import NotChecked
from parity.report.content import ContractReport, Remark, Report, Weight
from parity.report.omissions import unbound_line
from parity.report.terminal import not_checked_lines, summary_line, verdict_table
from parity.report.writing import write_forms
from parity.runs.results import write_results
from parity.runs.scope import Asked


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found of every contract, and what it was asked; `command` is the line that repeats it."""

    contracts: Sequence[ContractReport | NotChecked]
    asked: Asked
    environment: Mapping[str, str]
    command: str
    unbound: tuple[str, ...] = ()
    """The contracts that no stack binds."""

    @property
    def held(self) -> tuple[ContractReport, ...]:
        return tuple(one for one in self.contracts if isinstance(one, ContractReport))

    @property
    def lost(self) -> tuple[NotChecked, ...]:
        return tuple(one for one in self.contracts if isinstance(one, NotChecked))

    @property
    def divergences_off(self) -> tuple[str, ...]:
        """What is wrong with the accepted divergences: all of them, or those of the contracts that were asked."""
        entries = accepted_in(self.asked.cases) if REGISTRY.keys() - self.asked.cases.keys() else registered()
        measurements = [m for one in self.held for m in one.run.measurements]
        return divergence_faults(entries, measurements, REGISTRY, [o for one in self.held for o in one.run.omissions])

    def report(self, title: str, notes: Sequence[str] = ()) -> Report:
        """All of it, for whoever writes it; a run of nothing is not checked."""
        remarks = [Remark(Weight.NOT_CHECKED, f"{one.contract} was not checked", one.reason) for one in self.lost]
        if not self.contracts:
            remarks.append(Remark(Weight.NOT_CHECKED, "nothing was checked", "no contract had an example"))
        remarks += [Remark(Weight.FAILED, "an accepted divergence is off", said) for said in self.divergences_off]
        remarks += [Remark(Weight.NOTED, "not asked", note) for note in notes]
        if self.unbound:
            remarks.append(Remark(Weight.NOTED, "not bound by any stack", ", ".join(self.unbound)))
        seconds = sum(one.run.seconds for one in self.held)
        return Report(title, self.command, self.held, tuple(remarks), self.environment, seconds)


def conclude(
    out: Console, found: Found, title: str, folder: Path | None, notes: Sequence[str] = (), store: bool = True
) -> int:
    """Print what was found, write it to `folder` if there is one, with `store` its results too, and say the exit code.

    A run of nothing is not checked.
    """
    verdicts = [one.run.verdict for one in found.held]
    out.print(verdict_table(verdicts))
    for message in filter(None, (one.message for one in found.held)):
        out.print()
        out.print(message, markup=False, highlight=False, soft_wrap=True)
    out.print()
    for sentence in found.divergences_off:
        out.print(Text(sentence, "red"), soft_wrap=True)
    for line in (line for one in found.held for line in one.terms):
        out.print(Text(f"held to: {line}"), soft_wrap=True)
    for line in (line for one in found.held for line in one.omitted):
        out.print(Text(f"not asked: {line}", "yellow"), soft_wrap=True)
    unbound = [unbound_line(found.unbound)] if found.unbound else []
    for note in (*notes, *unbound, *not_checked_lines(found.lost)):
        out.print(Text(note, "yellow"), soft_wrap=True)
    out.print(summary_line(verdicts, found.lost, found.asked.shard))
    report = found.report(title, notes)
    if folder and store:
        runs = [one.run for one in found.held]
        write_results(folder / RESULTS, runs, found.environment, found.asked, found.lost, found.unbound)
        out.print(f"results: {folder / RESULTS}", soft_wrap=True)
    for path in write_forms(folder, report) if folder else ():
        out.print(f"report: {path}", soft_wrap=True)
    return exit_code(wrong=report.has_failed, unchecked=report.is_unchecked)
