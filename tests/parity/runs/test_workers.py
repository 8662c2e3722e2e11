"""Processes that may die: what becomes of their tasks, and of everyone else's."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from parity.runs import workers
from parity.runs.workers import Loss, Lost, in_processes

LIMIT = 2.0

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _found_by_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is spawned imports this file by its name, and has the path of the one that spawns it."""
    monkeypatch.syspath_prepend(ROOT)


def nothing() -> None:
    """A process that needs no preparation."""


def square(number: int) -> int:
    return number * number


def fate(name: str) -> str:
    """A task that meets with the fate it is named for."""
    fates: dict[str, Callable[[], object]] = {
        "hangs": partial(time.sleep, 600),
        "hangs deaf": hang_deaf,
        "is killed": partial(os.kill, os.getpid(), signal.SIGKILL),
        "crashes": partial(ctypes.string_at, 0),
        "exits with 0": partial(os._exit, 0),
        "exits with 7": partial(os._exit, 7),
        "leaves": partial(sys.exit, 0),
        "has no memory": partial(bytearray, 1 << 62),
        "is wrong": partial(int, "one"),
    }
    fates.get(name, nothing)()
    return name.upper()


def hang_deaf() -> None:
    """As native code does where no signal's handler gets its turn."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    time.sleep(600)


def limited_to(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def allocated(size: int) -> int:
    return len(bytearray(size))


def found(tasks: list[str], jobs: int = 1, limit: float | None = LIMIT) -> dict[str, str | Lost]:
    return dict(in_processes(nothing, fate, tasks, jobs, limit))


def test_every_task_is_done_once_in_several_processes() -> None:
    assert dict(in_processes(nothing, square, range(7), jobs=2)) == {number: number**2 for number in range(7)}
    assert active_children() == []


def test_one_process_does_one_task_after_another() -> None:
    assert len({pid for _, pid in in_processes(nothing, process_of, range(4), jobs=1)}) == 1


def process_of(number: int) -> int:
    return os.getpid()


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("hangs", "took longer than the limit of 2 s"),
        ("is killed", "its process was killed (SIGKILL; out of memory?)"),
        ("crashes", "its process was ended by SIGSEGV"),
        ("exits with 0", "its process ended itself with exit code 0"),
        ("exits with 7", "its process ended itself with exit code 7"),
        ("leaves", "raised SystemExit: 0 (test_workers.py, line "),
        ("has no memory", "ran out of memory"),
        ("is wrong", "raised ValueError: invalid literal for int() with base 10: 'one' (test_workers.py, line "),
    ],
)
def test_a_lost_task_says_why_and_the_others_go_on(task: str, reason: str) -> None:
    limit = LIMIT if task == "hangs" else None
    answers = found(["before", task, "after"], limit=limit)
    lost = answers.pop(task)
    assert isinstance(lost, Lost)
    assert lost.reason.startswith(reason)
    assert answers == {"before": "BEFORE", "after": "AFTER"}
    assert active_children() == []


def test_what_listens_to_no_signal_is_ended_too() -> None:
    assert found(["hangs deaf"]) == {"hangs deaf": Lost("took longer than the limit of 2 s", Loss.LATE)}
    assert active_children() == []


def test_memory_that_is_limited_runs_out() -> None:
    answers = dict(in_processes(partial(limited_to, 1 << 30), allocated, [1, 1 << 31, 2], jobs=1))
    assert answers == {1: 1, 1 << 31: Lost("ran out of memory", Loss.DIED), 2: 2}


def test_the_limit_is_a_task_s_own() -> None:
    assert dict(in_processes(partial(time.sleep, 1.5), square, [3], jobs=1, limit=1.0)) == {3: 9}


def fails_to_start(fate_of_start: str) -> None:
    fate(fate_of_start)


@pytest.mark.parametrize(
    ("why", "reason"),
    [("is wrong", "raised ValueError: invalid literal"), ("is killed", "was killed (SIGKILL; out of memory?)")],
)
def test_a_process_that_cannot_start_costs_its_task_until_no_more_are_tried(
    monkeypatch: pytest.MonkeyPatch, why: str, reason: str
) -> None:
    monkeypatch.setattr(workers, "ATTEMPTS", 2)
    answers = dict(in_processes(partial(fails_to_start, why), square, [1, 2, 3], jobs=1))
    reasons = [answer.reason for answer in answers.values() if isinstance(answer, Lost)]
    assert all(said.startswith(f"its process could not start: {reason}") for said in reasons[:2])
    assert reasons[2:] == ["no process could be started any more"]


def test_who_stops_listening_leaves_no_process_behind() -> None:
    answers = in_processes(nothing, fate, ["at once", "hangs"], jobs=2)
    assert next(answers) == ("at once", "AT ONCE")
    assert active_children()
    answers.close()
    assert active_children() == []


PROGRAM = """
import sys
from functools import partial
from parity.runs.workers import in_processes
import {module} as tasks
if __name__ == "__main__":
    for answer in in_processes(tasks.nothing, tasks.tell_and_hang, [sys.argv[1]], jobs=1):
        pass
"""


def tell_and_hang(path: str) -> None:
    Path(path).with_suffix(".tmp").write_text(str(os.getpid()))
    Path(path).with_suffix(".tmp").rename(path)
    time.sleep(600)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(tmp_path: Path, sent: signal.Signals) -> None:
    told, program = tmp_path / "told", tmp_path / "program.py"
    (tmp_path / "tasks.py").write_text(Path(__file__).read_text())
    program.write_text(PROGRAM.format(module="tasks"))
    here = str(Path(workers.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), here])}
    with subprocess.Popen([sys.executable, program, told], env=environment, stderr=subprocess.DEVNULL) as running:
        until(told.exists)
        running.send_signal(sent)
        running.wait(30)
    until(lambda: not is_running(int(told.read_text())))


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(done: Callable[[], bool], seconds: float = 30) -> None:
    last = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < last
        time.sleep(0.05)
