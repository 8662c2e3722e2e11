"""The exit codes of every command and of every test session, and which of them outweighs the others.

A code of 3 has two origins: `exit_code` for what was found, and `parity.cli.main` for what was raised instead.
"""

from __future__ import annotations

AGREE, DISAGREE, USAGE, NOT_CHECKED = 0, 1, 2, 3


def exit_code(*, wrong: bool = False, unchecked: bool = False) -> int:
    """The code of a check that found something `wrong`, or left something `unchecked`.

    What was not checked outweighs what is wrong: a reader of the code alone must not take a part for the whole. A
    defect that nothing noticed is `wrong`: it was checked, and the harness failed.
    """
    if unchecked:
        return NOT_CHECKED
    return DISAGREE if wrong else AGREE
