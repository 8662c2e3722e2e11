"""Who answers the questions of a check: this process, with both stacks in processes of their own, or several such."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial

from parity.gate.check.question import EAGER, Answer, AnyQuestion
from parity.runs.workers import Crew, Lost, attempted
from parity.stacks import declared, engaged
from parity.stacks.base import Framework

Asked = Callable[[Sequence[AnyQuestion]], Iterator[tuple[AnyQuestion, Answer | Lost]]]
"""Gives questions with their answers, as they come."""


@dataclass(frozen=True, slots=True)
class Askers:
    """In how many processes questions are answered, none if there are none to ask; see `parity.stacks.engaged`."""

    jobs: int = 1
    limit: float | None = None
    in_process: bool = False

    @contextmanager
    def begun(self) -> Iterator[Asked]:
        """The stacks make themselves ready from the moment that the block begins, while it is found out what to ask."""
        if self.jobs == 0:
            yield lambda questions: iter(())
        elif self.jobs == 1:
            with self._stacks() as stacks:
                yield partial(_one_by_one, stacks)
        else:
            with Crew[AnyQuestion, Answer](self._prepare, self._answer, self.jobs) as crew:
                yield lambda questions: crew.do(sorted(questions, key=lambda question: question.work, reverse=True))

    def _stacks(self) -> AbstractContextManager[tuple[Framework, ...]]:
        return engaged((), None if declared() else EAGER, limit=self.limit, in_process=self.in_process)

    def _prepare(self) -> None:
        _until_the_end(self)

    def _answer(self, question: AnyQuestion) -> Answer:
        return question.answer(_until_the_end(self))

    def until_the_end(self) -> tuple[Framework, ...]:
        """The stacks, for as long as this process lives."""
        return _UNTIL_THE_END.enter_context(self._stacks())


_UNTIL_THE_END = ExitStack()


@cache
def _until_the_end(askers: Askers) -> tuple[Framework, ...]:
    return askers.until_the_end()


def _one_by_one(
    stacks: Sequence[Framework], questions: Sequence[AnyQuestion]
) -> Iterator[tuple[AnyQuestion, Answer | Lost]]:
    """What is touched first, and what takes long last: somebody waits for the first verdict."""
    for question in sorted(questions, key=lambda question: (not question.touched, question.work)):
        yield question, attempted(partial(question.answer, stacks))
