"""Ending as an interrupt does, whoever ends the process: what lies in temporary folders goes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """For the length of the block, SIGTERM and SIGHUP raise KeyboardInterrupt, as Ctrl-C does; but for one that is
    ignored, as nohup asks."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
