"""Changed goldens, and the line of history that says what changed them, as one set in the place of the old."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path

from parity.goldens.difference import GoldenDiff, compare
from parity.goldens.folder import GoldenSet, replace
from parity.goldens.history import appended, regeneration_of
from parity.goldens.manifest import HISTORY
from parity.goldens.provenance import Stamp, today, versions
from parity.goldens.record import Golden, encode


def publish(
    folder: Path, old: GoldenSet, changed: Mapping[str, Golden], stamp: Stamp, removed: Iterable[str] = ()
) -> GoldenDiff:
    """Write goldens by name into `folder`, take those `removed` away, and say what changed. All of it, or nothing.

    A set that would stay as it is is not touched. Raises GoldenError as `replace` does.
    """
    gone = set(removed)
    before = {name: old.golden(name) for name in (*changed, *gone) if name in old.names}
    difference = compare(before, changed)
    if changed or gone:
        entry = regeneration_of(
            difference,
            date=datetime.date.fromisoformat(today()),
            commit=stamp.commit,
            reason=stamp.reason,
            goldens=len(changed),
            versions=versions(stamp.frameworks),
        )
        files = {f"{name}.npz": encode(golden) for name, golden in changed.items()}
        nothing = {f"{name}.npz": None for name in gone}
        replace(folder, old, old.with_changes({**files, **nothing, HISTORY: appended(old.history, entry)}))
    return difference
