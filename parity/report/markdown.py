"""A report as Markdown, for a pull request and the summary of a job: the verdict first, and no more bytes than allowed.

GitHub refuses a summary beyond 1 MiB, and so the least important is left out, whole lines at a time, and counted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parity.report.content import ContractReport, Place, Remark, Report
from parity.report.overview import agreement, cells, columns, gravest_first, headline, off_first, stacks_of
from parity.report.terminal import counted, verdict_in_words

LIMIT = 2**20
"""Bytes of UTF-8 that GitHub takes as the summary of a step."""

LEAST = 2**12
"""Bytes below which the verdict and what was left out might find no room."""

LONGEST = 1000
"""Characters of a line beyond which it is shortened."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a report that can do without some of its last lines: its opening, its lines, and its closing."""

    name: str
    opening: tuple[str, ...]
    lines: tuple[str, ...]
    closing: tuple[str, ...] = ()

    def within(self, room: int) -> tuple[str, int]:
        """As many lines of the block as `room` bytes hold, and how many are left out; nothing if no line has room."""
        frame = _size(self.opening) + _size(self.closing)
        kept = 0
        for line in self.lines:
            frame += _size((line,))
            if frame > room:
                break
            kept += 1
        if not kept:
            return "", len(self.lines)
        return _joined((*self.opening, *self.lines[:kept], *self.closing)), len(self.lines) - kept


def summary(report: Report, limit: int = LIMIT) -> str:
    """A report in at most `limit` bytes of UTF-8: the verdict, the contracts that do not agree, the remarks, and
    everything else folded.

    What finds no room is left out from the end, and a last sentence says what that is. Raises ValueError for a limit
    below `LEAST`.
    """
    if limit < LEAST:
        raise ValueError(f"limit: expected at least {LEAST} bytes, got {limit}")
    written = [f"## {_escaped(headline(report), LONGEST // 4)}\n\n"]
    left_out: list[str] = []
    room = limit - _size(written) - LEAST // 2
    for block in _blocks(report):
        text, missing = block.within(room)
        written.append(text)
        room -= _size((text,)) - 1
        if missing:
            left_out.append(f"{counted(missing, 'line')} of {block.name}")
    if left_out:
        written.append(_cut(left_out, limit))
    return "".join(written)


def _blocks(report: Report) -> Iterator[Block]:
    """Everything below the verdict, the most important first."""
    stacks, contracts = stacks_of(report), off_first(report)
    off = [held for held in contracts if not held.run.verdict.agrees]
    if off:
        yield _table("the table of what does not agree", columns(report), [cells(held, stacks) for held in off])
        yield Block("the counts", (), (f"{agreement(report)}.",), ("",))
    for remark in gravest_first(report):
        yield _remark(remark)
    for held in off:
        name = held.run.verdict.contract
        said = (held.message or held.run.verdict.reason).splitlines() or [""]
        title = said[0] if held.message else f"{name}: {verdict_in_words(held.run.verdict)}"
        yield _folded(f"the message of {name}", title, said)
        if held.stages:
            yield _folded(f"the stages of {name}", f"{name}: its stages", held.stages.splitlines())
    omitted = tuple(f"- {_escaped(line)}" for held in contracts for line in held.omitted)
    if omitted:
        yield Block("what was not asked", _fold("What was not asked, and is no pass"), omitted, _UNFOLD)
    terms = tuple(f"- {_escaped(line)}" for held in contracts for line in held.terms)
    if terms:
        yield Block("the conventions", _fold("Held to conventions of its own"), terms, _UNFOLD)
    asked = [line for held in contracts if (line := _asked(held))]
    if asked:
        yield Block("the plan", _fold("What was asked, and why"), tuple(asked), _UNFOLD)
    if contracts:
        rows = [cells(held, stacks) for held in contracts]
        table = _table("the table of all contracts", columns(report), rows)
        opening = (*_fold(f"All {counted(len(rows), 'contract')}"), *table.opening)
        yield Block(table.name, opening, table.lines, _UNFOLD)
    if report.environment:
        lines = tuple(f"- {_escaped(name)}: {_escaped(value)}" for name, value in report.environment.items())
        yield Block("the environment", _fold("Environment"), lines, _UNFOLD)
    if report.command:
        yield Block("the command", (), (f"Again: {_code(report.command)}",))


def _table(name: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    """A table. Contracts are written as code, so that Markdown takes nothing in a name for a mark or a mention."""
    rule = "|".join(("---", "---", *("---:" for _ in headings[2:])))
    opening = (_row(headings), f"|{rule}|")
    lines = tuple(_row([_code(row[0]).replace("|", "\\|"), *map(_escaped, row[1:])]) for row in rows)
    return Block(name, opening, lines, ("",))


def _row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _remark(remark: Remark) -> Block:
    """A remark with its weight, its title, its unchanged text and its places."""
    title = f"{remark.weight.value}: {remark.title}"
    lines = remark.text.splitlines()
    if remark.places:
        lines.append(", ".join(map(_place, remark.places)))
    fence, text = _fenced(lines)
    return Block(f"the remark “{remark.title[:80]}”", (f"**{_escaped(title)}**", "", f"{fence}text"), text, (fence, ""))


def _folded(name: str, title: str, lines: Sequence[str]) -> Block:
    """Preformatted text that unfolds below its title."""
    fence, text = _fenced(lines)
    return Block(name, (*_fold(title), f"{fence}text"), text, (fence, *_UNFOLD))


def _fenced(lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The lines, none of them too long, in a fence that is longer than any fence within them."""
    shortened = tuple(line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in lines) or ("",)
    longest = max((len(run) for line in shortened for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return fence, shortened


def _fold(title: str) -> tuple[str, ...]:
    shortened = title if len(title) <= LONGEST else f"{title[:LONGEST]}…"
    return (f"<details><summary>{html.escape(shortened)}</summary>", "")


_UNFOLD = ("", "</details>", "")


def _asked(held: ContractReport) -> str:
    """Why a contract was checked, and the lines that lead to it; "" if the report does not say."""
    if not held.reason and not held.places:
        return ""
    why = ", ".join((*([_escaped(held.reason)] if held.reason else []), *(_code(_place(p)) for p in held.places)))
    return f"- {_code(held.run.verdict.contract)}: {why}"


def _place(place: Place) -> str:
    return f"{place.file}:{place.line}"


def _cut(left_out: Sequence[str], limit: int) -> str:
    """The sentence that says how much is missing. It fits into half of `LEAST`, the room that is kept for it."""
    room, shown = LEAST // 4, []
    for what in left_out:
        room -= len(what.encode(errors="replace")) + 2
        if room < 0:
            break
        shown.append(what)
    more = len(left_out) - len(shown)
    rest = f" and {counted(more, 'part')} more" if more else ""
    what = _escaped(", ".join(shown), LEAST)
    return f"Cut to {limit:,} bytes: {what}{rest} left out. The HTML report has all of it.\n"


def _escaped(text: str, longest: int = LONGEST) -> str:
    """Text that means nothing to Markdown and HTML, in one line and not too long."""
    line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>#|~@&])", r"\\\1", line if len(line) <= longest else f"{line[:longest]}…")


def _code(text: str) -> str:
    """Text as code in one line, in a fence that is longer than any fence within it."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{line}{space}{fence}"


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _size(lines: Sequence[str]) -> int:
    """The number of bytes of lines, each with its line end."""
    return sum(len(line.encode(errors="replace")) + 1 for line in lines)
