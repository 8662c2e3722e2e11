"""Mutants shared out among processes, each of which stays warm: frameworks are loaded once, not once a mutant.

The processes are spawned. A forked one would inherit threads of the frameworks that no longer run, hang, and be taken
for a mutant that was found.
"""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from parity._environment import prepare_environment
from parity.proof.mutants import journal
from parity.proof.mutants.asking import PASSED, ask
from parity.proof.mutants.mutate import Kind, Mutant
from parity.proof.mutants.questions import FEW, Checkout
from parity.proof.mutants.trial import Outcome, Trial, try_mutant

POLL = 0.5

CANNOT_GO_ON = 3

GRACE = 3
"""How many times its limit a mutant has before its process is ended, should the alarm not reach it."""


class WorkerFault(Exception):
    """The trials could not be made; the message says why."""


def try_all(
    mutants: Sequence[Mutant],
    root: Path,
    path: Path,
    jobs: int,
    limit: float,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, Trial]:
    """Try every mutant that the journal at `path` does not have, and return the trials of all, by id.

    `advance` is told of every one that is done. A process that dies takes one mutant with it, which is broken, not
    killed. Raises WorkerFault where the unchanged stacks fail, or a process cannot go on.
    """
    wanted = {mutant.id for mutant in mutants}
    done = wanted & journal.read(path).keys()
    rest = [mutant for mutant in mutants if mutant.id not in done]
    shares = [Share(tuple(rest[k::jobs]), root, journal.part_of(path, k), limit) for k in range(jobs)]
    workers = [_Worker(share) for share in shares if share.mutants]
    told = 0
    try:
        for worker in workers:
            worker.start(first=worker is workers[0])
        working = True
        while working:
            working = sum(worker.is_working() for worker in workers) > 0
            done = wanted & journal.read(path).keys()
            for _ in range(len(done) - told):
                advance()
            told = len(done)
            time.sleep(POLL if working else 0)
    finally:
        for worker in workers:
            worker.stop()
    trials = journal.read(path)
    return {mutant.id: trials[mutant.id] for mutant in mutants}


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does: some mutants of a checkout, what became of them written to a journal of its own."""

    mutants: tuple[Mutant, ...]
    root: Path
    journal: Path
    limit: float

    def without(self, ids: Container[str]) -> Share:
        """What is left of it."""
        return replace(self, mutants=tuple(mutant for mutant in self.mutants if mutant.id not in ids))


class _Worker:
    """A process and its share; started again, without the mutant that ended it, whenever it dies."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._process: BaseProcess | None = None

    def start(self, first: bool = False) -> None:
        self._process = multiprocessing.get_context("spawn").Process(target=_work, args=(self._share, first))
        self._process.start()

    def is_working(self) -> bool:
        """Whether there is anything left to do; sees to it that it is done."""
        if self._process is None or self._process.is_alive():
            return self._process is not None
        code = self._process.exitcode
        if code == CANNOT_GO_ON:
            raise WorkerFault("mutants: a process could not go on; what it said is above")
        left = self._share.without(journal.read(self._share.journal))
        if code != 0 and left.mutants:
            died = left.mutants[0].id
            trial = Trial(died, Outcome.BROKEN, 0.0, message=f"its process ended with {code}")
            journal.append(self._share.journal, trial)
            left = left.without({died})
        self._share = left
        if left.mutants:
            self.start()
        return bool(left.mutants)

    def stop(self) -> None:
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _work(share: Share, first: bool) -> None:
    """Try mutant after mutant; the first process holds the unchanged stacks to what will be asked before it does."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["COLUMNS"] = "400"  # pytest cuts off what it says of a failure at the width of the terminal
    prepare_environment()
    os.chdir(share.root)
    try:
        checkout = Checkout(share.root)
        if first:
            _require_sound(share, checkout)
        for number, mutant in enumerate(share.mutants):
            faulthandler.dump_traceback_later(GRACE * share.limit, exit=True)
            journal.append(share.journal, try_mutant(mutant, checkout.questions(mutant), share.limit))
            faulthandler.cancel_dump_traceback_later()
            if number == 0:
                gc.collect()
                gc.freeze()  # pytest collects garbage ten times a session, through all that the frameworks have loaded
    except KeyboardInterrupt:
        sys.exit(CANNOT_GO_ON)
    except WorkerFault as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(CANNOT_GO_ON)
    except Exception:
        traceback.print_exc()
        sys.exit(CANNOT_GO_ON)


def _require_sound(share: Share, checkout: Checkout) -> None:
    """Refuse to go on where what is asked first fails without any mutant."""
    computing = [mutant for mutant in share.mutants if mutant.kind is Kind.MATHEMATICS]
    names = dict.fromkeys(name for mutant in computing for name in checkout.nearest(mutant))
    files = dict.fromkeys((m.package, m.module) for m in share.mutants if m.kind is Kind.BORDER)
    questions = [checkout.contracts(tuple(names), FEW)] if names else []
    for question in (*questions, *(checkout.units(*file) for file in files)):
        answer = ask(question.arguments, question.files, GRACE * share.limit)
        if answer.code != PASSED or not answer.in_time:
            told = answer.message or answer.output[-1000:]
            raise WorkerFault(f"mutants: the unchanged stacks do not pass: {answer.test}: {told}")
