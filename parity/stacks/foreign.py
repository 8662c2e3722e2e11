"""A subject: somebody's stack, held as it is, through bindings of theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from parity._ground.environment import prepare_environment, torch_has_onednn, torch_threads
from parity._ground.errors import UsageError
from parity.contracts.cases.domain import Domain
from parity.contracts.contract import Contract, Entry, Inputs
from parity.contracts.conventions import NONE, Conventions
from parity.physics.precision import WIDENED, Precision
from parity.stacks.base import Cotangents, Stack, StackLost
from parity.stacks.process import Process
from parity.stacks.remote import Remote, granted
from parity.stacks.seat import LIMIT, Seat
from parity.stacks.subjects import Subject
from parity.stacks.worker import Question, Settings

FOREIGN = "PYTHONPATH"
"""A variable that would have the subject's interpreter find the harness's own packages."""


PYTHON_ALONE = {"PYTORCH_JIT": "0", "NUMBA_DISABLE_JIT": "1"}
"""Variables with which code runs in Python that would be compiled when it is imported."""

Place: TypeAlias = tuple[str, int]
"""A function, by its file and its first line."""


class Trace(NamedTuple):
    """What of a folder's files runs for a contract: functions `called`; those that any import runs; files `loaded`."""

    called: frozenset[Place]
    imported: frozenset[Place]
    loaded: frozenset[str]


class Foreign(Remote):
    """A subject in a process of its own, with its own interpreter; every function is called eagerly, as it stands.

    It can say what runs of the files in the folder `traced`, if there is one.
    """

    def __init__(
        self, subject: Subject, device: str = "cpu", limit: float | None = None, traced: Path | None = None
    ) -> None:
        prepare_environment()
        self.subject = subject
        self._settings = Settings(
            framework=subject.framework,
            package=subject.package,
            path=[str(folder) for folder in subject.path],
            device=device,
            threads=torch_threads(),
            onednn=torch_has_onednn(),
            bindings=str(subject.bindings) if subject.bindings else None,
            stubs=subject.stubs,
            accepts=subject.accepts,
            absent=f"{subject.framework} is not installed in {subject.python}, so {subject.name} cannot be held",
            traced=str(traced.resolve()) if traced else "",
        )
        self._wide: Seat | None = None
        self._conventions: dict[tuple[str, str], Conventions] = {}
        stack = Stack(subject.name, subject.framework, subject.package)
        super().__init__(stack, "eager", device, self._process, limit or subject.limit or LIMIT)

    def _process(self, *, widened: bool = False) -> Process:
        inherited = {name: value for name, value in os.environ.items() if name != FOREIGN}
        settings = self._settings._replace(widened=widened)
        ours = PYTHON_ALONE if settings.traced else {}
        return Process(settings, self.subject.python, inherited | dict(self.subject.environment) | ours)

    def end(self) -> None:
        super().end()
        if self._wide:
            self._wide.end()

    @property
    def package_version(self) -> str:
        """The version of the package; "" where nobody says."""
        return str(self.introduction["package"])

    @property
    def widens(self) -> bool:
        return True

    def _seat_for(self, question: Question) -> Seat:
        """What is asked in widened sources has a process of its own, which begins with the first such question."""
        if not question.widened:
            return self._seat
        if self._wide is None:
            self._wide = Seat(f"{self.name}, widened,", partial(self._process, widened=True), self._limit)
        return self._wide

    @property
    def domain(self) -> Domain:
        return self.subject.claimed

    def trace(
        self, contract: Contract, inputs: Inputs, precision: Precision, entry: Entry | None = None
    ) -> Callable[[], Trace]:
        """Ask what runs, forwards and backwards, whatever comes of it. The answer waits, and raises as `evaluate`."""
        terms = self.conventions(contract, entry)
        question = self._question(terms.contract or contract, terms.given(inputs), precision, None, entry)
        asked = self._seat.ask({"ask": "trace", **question.header()}, question.arrays(), contract.name)

        def ran() -> Trace:
            answer = granted(asked).header
            called, imported = (frozenset((file, line) for file, line in answer[key]) for key in ("called", "imported"))
            return Trace(called, imported, frozenset(answer["loaded"]))

        return ran

    def binds(self, contract: Contract) -> bool:
        return self._names_of(contract) is not None

    def entries_of(self, contract: Contract, inputs: Inputs, precision: Precision) -> tuple[Entry, ...]:
        return self.named(contract)

    def named(self, contract: Contract) -> tuple[Entry, ...]:
        names = self._names_of(contract) or {}
        return tuple(Entry(self.name, f"{self.stack.package}.{name}", _in_its_process) for name in names if name)

    def unasked(self, contract: Contract, entry: Entry | None) -> tuple[str, ...]:
        bound = self._names_of(contract) or {}
        return bound[self._name(entry)].unasked if self._name(entry) in bound else ()

    def conventions(self, contract: Contract, entry: Entry | None) -> Conventions:
        key = (contract.name, self._name(entry))
        if key not in self._conventions:
            stated = (self._names_of(contract) or {}).get(key[1])
            self._conventions[key] = _read(stated.conventions, contract) if stated and stated.conventions else NONE
        return self._conventions[key]

    def _question(
        self,
        contract: Contract,
        inputs: Inputs,
        precision: Precision,
        cotangents: Cotangents | None,
        entry: Entry | None,
    ) -> Question:
        """Sizes and numbers are plain, as a binding takes them."""
        terms = self.conventions(contract, entry)
        inputs, cotangents = terms.to_stack(contract, inputs), cotangents and terms.to_stack(contract, cotangents)
        question = super()._question(contract, inputs, precision, cotangents, entry)
        plain = {name: question.tensors[name].item() for name in question.scalars}
        tensors = {name: array for name, array in question.tensors.items() if name not in plain}
        constants = {**question.constants, **plain}
        return question._replace(
            tensors=tensors,
            scalars=[],
            constants=constants,
            widened=precision is WIDENED,
            unasked=self.unasked(contract, entry),
        )

    def _entry(self, contract: Contract, entry: Entry) -> int | str:
        return self._name(entry)

    def _name(self, entry: Entry | None) -> str:
        """The name of a binding; that of the contract's own has none."""
        return entry.path.removeprefix(f"{self.stack.package}.") if entry else ""

    def _names_of(self, contract: Contract) -> Mapping[str, _Bound] | None:
        """By name of a binding, what it states; None where the contract is not bound.

        What is bound to a function is bound to all contracts of it.
        """
        bound = self.introduction["bound"]
        if bound is None:
            return {"": _Bound()}
        found: dict[str, _Bound] = {}
        for address in (contract.address, contract.name):  # what is bound to the contract itself goes before
            found |= {name: _Bound(tuple(rest[0]), rest[1]) for bound_to, name, *rest in bound if bound_to == address}
        return found or None


class _Bound(NamedTuple):
    """What a binding states beside its function: no gradient is asked of `unasked`."""

    unasked: tuple[str, ...] = ()
    conventions: Mapping[str, Any] = MappingProxyType({})


def _read(stated: Mapping[str, Any], contract: Contract) -> Conventions:
    from parity.contracts.conventions.reading import read  # the oracle's operations take long to start

    try:
        return read(stated, contract.around.contract if contract.around else contract)
    except UsageError as error:
        raise StackLost(f"the binding cannot be held: {error}") from None


def _in_its_process(*given: Any) -> Any:
    """A binding is called where the stack is."""
    raise NotImplementedError
