"""Where a stack runs: questions and answers of a process that has no framework, and what becomes of those it loses."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.stacks import worker
from parity.stacks.base import StackLost
from parity.stacks.process import Ended, Process
from parity.stacks.seat import ATTEMPTS, NoAnswer, Reply, Seat, _Header

SOON = 60.0
"""Seconds within which whatever is not to be lost has been answered, on a busy machine too."""

SETTINGS = worker.Settings("none", "none", [])

WORKER = """
import importlib.util, os, subprocess, sys, time
spec = importlib.util.spec_from_file_location("worker", {real!r})
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
channel = worker.Channel()
{first}
channel.write({{"process": os.getpid()}}, {{}})
while True:
    header, arrays = channel.read()
    exec(header["does"])
    channel.write({{"process": os.getpid()}}, arrays)
"""

Began = Callable[[], Process]


@pytest.fixture
def worker_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Began]:
    """Begins processes that answer with what they were sent, and do what they are told to before."""
    real = worker.__file__

    def begins(first: str = "") -> Began:
        (tmp_path / "answering.py").write_text(WORKER.format(real=real, first=first))
        monkeypatch.setattr(worker, "__file__", str(tmp_path / "answering.py"))
        return lambda: Process(SETTINGS, Path(sys.executable), dict(os.environ))

    return begins


@pytest.fixture
def seated(worker_that: Callable[[str], Began]) -> Iterator[Callable[..., Seat]]:
    """Seats that end with the test."""
    seats: list[Seat] = []

    def seat(first: str = "", limit: float = SOON) -> Seat:
        seats.append(Seat("torch", worker_that(first), limit))
        return seats[-1]

    yield seat
    for one in seats:
        one.end()


def told(seat: Seat, does: str = "", contract: str = "a", *, urgent: bool = True, **arrays: Any) -> Future[Reply]:
    return seat.ask({"does": does}, arrays, contract, urgent=urgent)


def process_of(answered: Future[Reply]) -> int:
    number: int = answered.result(SOON).header["process"]
    return number


def why_lost(asked: Future[Reply]) -> str:
    with pytest.raises(NoAnswer) as lost:
        asked.result(SOON)
    return str(lost.value)


def test_all_is_answered_by_the_process_that_has_introduced_itself(seated: Callable[..., Seat]) -> None:
    seat = seated()
    answers = [told(seat) for _ in range(10)]
    assert {process_of(answer) for answer in answers} == {process_of(seat.introduction)}


def test_the_urgent_goes_before_all_that_can_wait_and_has_not_been_sent(seated: Callable[..., Seat]) -> None:
    seat, done = seated(), []

    def ask(name: str, *, urgent: bool) -> Future[Reply]:
        asked = told(seat, "time.sleep(0.3)", urgent=urgent)
        asked.add_done_callback(lambda _: done.append(name))
        return asked

    can_wait = [ask(f"later {i}", urgent=False) for i in range(6)]
    ask("urgent", urgent=True)
    for asked in can_wait:
        asked.result(SOON)
    assert done.index("urgent") <= 3
    assert [name for name in done if name != "urgent"] == [f"later {i}" for i in range(6)]


def test_large_messages_pass_both_ways_at_once(seated: Callable[..., Seat]) -> None:
    seat = seated()
    sent = [np.random.default_rng(i).standard_normal((1 + i, 2**20)) for i in range(4)]
    answers = [told(seat, big=array) for array in sent]
    for array, answer in zip(sent, answers, strict=True):
        np.testing.assert_array_equal(answer.result(SOON).arrays()["big"], array)


def test_a_death_loses_its_contract_and_asks_the_others_of_the_next_process(seated: Callable[..., Seat]) -> None:
    seat = seated()
    before, dying = told(seat, contract="before"), told(seat, "os._exit(3)", "deadly")
    same, others = told(seat, contract="deadly"), [told(seat, contract=name) for name in ("before", "after")]
    said = "torch's process ended itself with exit code 3"
    assert [why_lost(asked) for asked in (dying, same, told(seat, contract="deadly"))] == [said] * 3
    (other,) = {process_of(asked) for asked in others}
    assert other != process_of(before) == process_of(seat.introduction)


def test_three_processes_in_a_row_that_are_never_ready_are_the_last(seated: Callable[..., Seat]) -> None:
    seat = seated("print('no light', file=sys.stderr, flush=True); os._exit(1)")
    said = [why_lost(seat.introduction), *(why_lost(told(seat, contract=str(i))) for i in range(ATTEMPTS))]
    once = "torch's process ended itself with exit code 1 before it was ready: no light"
    last = f"{once}; it was the last of 3 in a row that were never ready"
    assert said == [once, once, last, last]


def test_however_many_contracts_are_deadly_another_process_begins(seated: Callable[..., Seat]) -> None:
    seat = seated()
    for i in range(ATTEMPTS + 1):
        assert "exit code 3" in why_lost(told(seat, "os._exit(3)", f"deadly {i}"))
    process_of(told(seat, contract="fine"))


@pytest.mark.parametrize(
    "written",
    [
        "nonsense",
        '{"no": "arrays"}',
        '{"arrays": [1]}',
        "[" * 10**5,
        '{"arrays": [["a", "O", [1], [0]]]}',
        '{"arrays": [["a", "<f8", [-1], [0]]]}',
        '{"arrays": [["a", "V8", [1], [0]]]}',
    ],
    ids=lambda written: written[:40],
)
def test_nonsense_instead_of_an_answer_loses_its_contract_alone(seated: Callable[..., Seat], written: str) -> None:
    seat = seated()
    asked = told(seat, f"os.write(channel._sink.fileno(), {written!r}.encode() + b'\\n')", "deadly")
    assert why_lost(asked) == "torch's process sent something that is no answer"
    process_of(told(seat, contract="fine"))


def test_an_answer_to_no_question_costs_the_process_alone(seated: Callable[..., Seat]) -> None:
    seat = seated()
    told(seat, "channel.write({}, {})").result(SOON)
    time.sleep(1.0)
    assert process_of(told(seat)) != process_of(seat.introduction)


def test_a_contract_may_take_so_long_altogether_and_no_longer(seated: Callable[..., Seat]) -> None:
    seat = seated(limit=2.0)
    process_of(seat.introduction)
    first, second = (told(seat, "time.sleep(1.3)", "slow") for _ in range(2))
    other = told(seat, "time.sleep(1.3)", "as slow, once")
    process_of(first)
    assert why_lost(second) == "torch took longer than the limit of 2 s"
    process_of(other)


def test_what_is_asked_when_all_has_ended_is_not_answered(seated: Callable[..., Seat]) -> None:
    seat = seated()
    waiting = told(seat, "time.sleep(600)")
    seat.end()
    assert {why_lost(waiting), why_lost(told(seat))} == {"torch is not asked any more"}


def ending_of(process: Process) -> str:
    deadline = time.monotonic() + SOON
    try:
        while time.monotonic() < deadline:
            process.read()
    except Ended as ended:
        return str(ended)
    finally:
        process.end()
    return "none"


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("os._exit(0)", "ended itself with exit code 0"),
        ("os.kill(os.getpid(), 9)", "was killed (SIGKILL; out of memory?)"),
        ("os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
    ],
)
def test_how_a_process_ended(worker_that: Callable[[str], Began], does: str, said: str) -> None:
    assert ending_of(worker_that(does)()) == said


def test_the_end_of_a_process_is_that_of_all_that_it_started(
    worker_that: Callable[[str], Began], tmp_path: Path
) -> None:
    note = tmp_path / "child"
    child = f"child = subprocess.Popen(['sleep', '600']); open({str(note)!r}, 'w').write(str(child.pid))"
    process = worker_that(child)()
    deadline = time.monotonic() + SOON
    while not process.read():
        assert time.monotonic() < deadline
    process.end()
    state = Path(f"/proc/{note.read_text()}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
    with pytest.raises(Ended):
        process.require_alive()


def test_the_last_line_that_a_process_printed_is_kept(worker_that: Callable[[str], Began]) -> None:
    process = worker_that("print('x' * 1_000_000); print('the last', flush=True); os._exit(1)")()
    ending_of(process)
    deadline = time.monotonic() + SOON
    while process.last_words != "the last":
        assert time.monotonic() < deadline


FIELD = np.random.default_rng(0).standard_normal((2, 3, 4, 5)) + 1j


@pytest.mark.parametrize(
    "array",
    [
        FIELD,
        np.asfortranarray(FIELD),
        FIELD.transpose(0, 2, 3, 1),
        FIELD[:, :, ::2],
        np.array(1.5),
        np.array(True),
        np.zeros((0, 3)),
        np.arange(6, dtype=">i2").reshape(2, 3),
    ],
    ids=["C", "Fortran", "transposed", "strided", "number", "flag", "empty", "big-endian"],
)
def test_a_message_keeps_values_dtype_and_order_in_memory(array: np.ndarray[Any, Any]) -> None:
    line, *parts = worker.frame({"ask": "?"}, {"array": array, "another": FIELD})
    header = worker.json.loads(line)
    body = b"".join(parts)
    assert sum(worker.sizes_of(header)) == len(body)
    found = worker.unframe(header, body)
    np.testing.assert_array_equal(found["another"], FIELD)
    assert (found["array"].dtype, found["array"].shape) == (array.dtype, array.shape)
    assert not array.size or found["array"].strides == np.array(array).strides
    np.testing.assert_array_equal(found["array"], array)


def test_an_answer_that_lacks_something_is_none() -> None:
    empty = Reply(_Header(arrays=[]), b"")
    with pytest.raises(StackLost, match="without 'gpus'"):
        empty.header["gpus"]
    with pytest.raises(StackLost, match="without 'result:0'"):
        empty.arrays()["result:0"]


class Mute(Exception):
    def __str__(self) -> str:
        raise KeyError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Mute(), "it cannot say what"),
        (ValueError("\x1b[31m\udcff\nb"), "\\x1b[31m\\udcff"),
        (ValueError("a" * 5000), "a" * 1000),
    ],
    ids=["mute", "escapes", "endless"],
)
def test_what_an_error_says_is_a_line_that_a_terminal_can_show(error: Exception, said: str) -> None:
    assert worker.first_line(error) == said
