"""Whether what is imported is what lies in the repository that is judged, and no other package of the same name."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from parity._ground.errors import CheckNotMade
from parity._ground.repository import HARNESS, ROOT, STACKS, prefer_own_stacks
from parity.gate.impact import BaseUnknown


def require_own(root: Path) -> None:
    """Raise CheckNotMade where a package of this repository would be imported from elsewhere, naming both places."""
    if not root.samefile(ROOT):
        raise BaseUnknown(
            f"expected to be called in {ROOT}, whose stacks would run, or where subjects are declared "
            f"(parity init), got {root}"
        )
    prefer_own_stacks()
    for package in (*HARNESS, *STACKS):
        for place in _places(package):
            if not Path(place).resolve().is_relative_to(ROOT / package):
                raise CheckNotMade(f"{package}: expected the one that is judged, in {ROOT}, got {place}")


def _places(package: str) -> Iterator[str]:
    """Where a package would be found, and where what is imported of it was."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # somebody has put there what no import makes
        spec = None
    yield from (spec.submodule_search_locations or [spec.origin or "nowhere"]) if spec else ["nowhere"]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.startswith(f"{package}."):
            yield file
