"""Mutants shared out among processes that stay warm: the frameworks are loaded once a process, not once a mutant."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from parity._ground.environment import prepare_environment
from parity._ground.errors import CheckNotMade
from parity.proof.mutants.asking import PASSED, Session, SessionResult, ask
from parity.proof.mutants.mutate import Mutant, MutantKind
from parity.proof.mutants.questions import FEW, Checkout
from parity.proof.mutants.trial import MutantTrial, TrialOutcome, append_trial, read_trials, try_mutant
from parity.runs.workers import Crew, Loss, Lost
from parity.stacks import load

Task = Session | Mutant
"""A session of the unchanged stacks, or a mutant to be tried."""

Answer = SessionResult | MutantTrial


class TrialsNotMade(CheckNotMade):
    """The trials could not be made; the message says why."""


def try_all(
    mutants: Sequence[Mutant],
    root: Path,
    path: Path,
    jobs: int,
    limit: float,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, MutantTrial]:
    """Try every mutant that the journal at `path` does not have, and return the trials of all, by id.

    `advance` is told of every mutant that is done. A mutant that takes longer than `limit` seconds has timed out, and
    one that ends its process is broken: neither is killed. Raises TrialsNotMade where the unchanged stacks do not pass
    what will be asked, or where the harness itself raises.
    """
    trials = read_trials(path)
    rest = [mutant for mutant in mutants if mutant.id not in trials]
    for _ in range(len(mutants) - len(rest)):
        advance()
    if rest:
        checkout = Checkout(root)
        with Crew[Task, Answer](partial(_begin, root), partial(_answer, checkout), min(jobs, len(rest)), limit) as crew:
            _require_sound(crew, checkout, rest)
            for mutant, answer in crew.do(rest):
                assert isinstance(mutant, Mutant)
                trial = trials[mutant.id] = _trial(mutant, answer, limit)
                append_trial(path, trial)
                advance()
    return {mutant.id: trials[mutant.id] for mutant in mutants}


def _begin(root: Path) -> None:
    """Make a process ready to run pytest on a checkout, again and again."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["COLUMNS"] = "400"  # pytest cuts off what it says of a failure at the width of the terminal
    prepare_environment()
    os.chdir(root)
    load()
    gc.collect()
    gc.freeze()  # pytest collects garbage ten times a session, through all that the frameworks have loaded


def _answer(checkout: Checkout, task: Task) -> Answer:
    return try_mutant(task, checkout.sessions(task)) if isinstance(task, Mutant) else ask(task)


def _trial(mutant: Mutant, answer: Answer | Lost, limit: float) -> MutantTrial:
    match answer:
        case MutantTrial():
            return answer
        case Lost(_, Loss.LATE):
            return MutantTrial(mutant.id, TrialOutcome.TIMED_OUT, limit)
        case Lost(reason, Loss.DIED):
            return MutantTrial(mutant.id, TrialOutcome.BROKEN, 0.0, message=reason)
    raise TrialsNotMade(f"mutants: {mutant.place}: {answer.reason if isinstance(answer, Lost) else answer}")


def _require_sound(crew: Crew[Task, Answer], checkout: Checkout, mutants: Sequence[Mutant]) -> None:
    """Refuse to go on where what is asked first fails without any mutant."""
    computing = [mutant for mutant in mutants if mutant.kind is MutantKind.MATHEMATICS]
    names = dict.fromkeys(name for mutant in computing for name in checkout.nearest(mutant))
    files = dict.fromkeys((m.package, m.module) for m in mutants if m.kind is MutantKind.BORDER)
    sessions = [checkout.contracts((name,), FEW) for name in names] + [checkout.units(*file) for file in files]
    for _, answer in crew.do(sessions):
        if isinstance(answer, Lost):
            raise TrialsNotMade(f"mutants: the unchanged stacks could not be asked: {answer.reason}")
        if isinstance(answer, SessionResult) and answer.code != PASSED:
            told = answer.message or answer.output[-1000:]
            raise TrialsNotMade(f"mutants: the unchanged stacks do not pass: {answer.test}: {told}")
