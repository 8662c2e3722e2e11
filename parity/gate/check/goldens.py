"""Goldens that differ from the base's: by how much, of what nature, and whether somebody said why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from parity.goldens.difference import compare, read_set
from parity.goldens.drift import Nature
from parity.goldens.errors import GoldenError
from parity.goldens.folder import GoldenSet
from parity.goldens.history import read_history
from parity.goldens.tables import difference_summary, drift_table
from parity.report.content import Place, Remark, Weight
from parity.report.terminal import plain


def golden_remarks(folder: Path, base: str, place: str) -> Iterator[Remark]:
    """What is to be said of the goldens in `folder`, which the base has otherwise.

    `place` is the folder as the repository names it. Raises GoldenError where those of the folder are not whole.
    """
    new = GoldenSet.read(folder)
    try:
        old = read_set(base, folder)
    except GoldenError:
        old = GoldenSet.empty()  # the base has none
    history = (Place(f"{place}/history.jsonl", max(1, new.history.count(b"\n"))),)
    if not new.history.startswith(old.history):
        yield Remark(Weight.FAILED, "the history of the goldens was rewritten", _APPEND, history)
        return
    reasons = [entry.reason for entry in read_history(new.history[len(old.history) :])]
    difference = compare(*({name: found.golden(name) for name in found.names} for found in (old, new)))
    if difference.nature is Nature.SAME:
        return
    said = difference_summary(difference)
    drifted = f"{plain(drift_table(difference.worst)).rstrip()}\n{said}" if difference.drifts else said
    if reasons:
        yield Remark(Weight.NOTED, f"goldens drifted: {difference.nature}", f"{'; '.join(reasons)}\n{drifted}", history)
    else:
        yield Remark(Weight.FAILED, "goldens changed without a reason", f"{_REGENERATE}\n{drifted}", history)


_APPEND = "history.jsonl only ever grows: expected what the base has, and perhaps more lines, got other ones"
_REGENERATE = "expected a line in history.jsonl that says why, as `parity golden regen --reason` writes it, got none"
