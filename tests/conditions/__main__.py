"""Writes the table of conditions: `python -m tests.conditions docs/conditions.md`."""

import sys
import tempfile
from pathlib import Path

from tests.conditions.condition import CONDITIONS, Condition, Place, sentence
from tests.conditions.kinds import load_all

HEAD = """# Odd circumstances

What `parity` says where something around it is not as usual: the exit code, and the line that says so. `make test`
tries each; `make conditions` writes this page. Exit codes: 0 all agree, 1 something disagrees, 2 the command was called
wrongly, 3 something could not be checked. `…` stands for a folder.
"""


def row(one: Condition) -> str:
    """A condition as a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        done = one.arrange(place)
        said = sentence(done, place, one.says).replace("|", "\\|")
    if done.returncode != one.code:
        sys.exit(f"{one.name}: expected exit code {one.code}, got {done.returncode}: {said}")
    return f"| {one.title} | {done.returncode} | {said} |"


def page() -> str:
    """All conditions, tried."""
    parts = [HEAD]
    for kind, title in load_all().items():
        rows = [row(one) for one in CONDITIONS.values() if one.name.startswith(f"{kind}/")]
        parts.append(
            "\n".join([f"## {title.rstrip('.')}", "", "| condition | code | says |", "|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


Path(sys.argv[1]).write_text(page(), encoding="utf-8")
