"""Which files of a change are of the harness's own judgement, which has to be asked whether it still sees."""

from __future__ import annotations

from parity.gate.impact import Change, Changes
from parity.gate.impact.definitions import changed_definitions

_JUDGING = ("parity/", "ptycho_exposures/")

_ASIDE = ("parity/proof/", "parity/report/", "parity/testing/")
"""Rooms that tell what was found elsewhere."""


def judges_otherwise(changes: Changes) -> bool:
    """Whether some code that judges differs, or makes what is judged; comments and docstrings do neither."""
    return any(map(_judges, changes.files))


def _judges(change: Change) -> bool:
    if not change.path.startswith(_JUDGING) or change.path.startswith(_ASIDE):
        return False
    if not change.path.endswith(".py"):
        return True
    try:
        return bool(
            changed_definitions(*((content or b"").decode(errors="replace") for content in (change.old, change.new)))
        )
    except SyntaxError:
        return True
