"""What of a repository runs for each contract that its subjects bind, as it is and as a base of it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from parity._ground.errors import CheckNotMade
from parity._ground.git import GitError, extract
from parity.contracts.cases.case import forced, precisions_of
from parity.contracts.cases.domain import shared
from parity.contracts.contract import Contract
from parity.gate.impact.changes import Changes
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.base import StackError
from parity.stacks.foreign import Foreign, Place, Trace
from parity.stacks.subjects import Subject


@dataclass(slots=True)
class Traced:
    """What was seen of the files in a folder, which are named as they lie in it.

    `called` are the functions that ran, by contract; `imported` those that any import runs. `lost` says why nothing is
    known of a contract.
    """

    called: dict[str, set[Place]] = field(default_factory=lambda: defaultdict(set))
    imported: set[Place] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    lost: dict[str, str] = field(default_factory=dict)

    def add(self, contract: str, trace: Trace, folder: Path) -> None:
        """Take in what ran for a contract."""
        self.called[contract] |= {(_within(file, folder), line) for file, line in trace.called}
        self.imported |= {(_within(file, folder), line) for file, line in trace.imported}
        self.loaded |= {_within(file, folder) for file in trace.loaded}


class BaseUntraced(Exception):
    """It is not known what of the base runs; the message says why not."""


@contextmanager
def base_of(changes: Changes, subjects: Sequence[Subject]) -> Iterator[tuple[Path, tuple[Subject, ...]]]:
    """The files of the base in a folder of their own, and the subjects as they lie there.

    What of a subject lies outside the repository stays where it is. Raises BaseUntraced where git has no such files.
    """
    with TemporaryDirectory(prefix="parity-base-") as temporary:
        folder = Path(temporary).resolve()
        try:
            extract(changes.root, changes.base, folder)
        except GitError as error:
            raise BaseUntraced(str(error)) from error
        yield folder, tuple(_moved(subject, changes.root, folder) for subject in subjects)


def _moved(subject: Subject, root: Path, folder: Path) -> Subject:
    def moved(path: Path) -> Path:
        return folder / path.relative_to(root) if path.is_relative_to(root) else path

    root, file, path = moved(subject.root), moved(subject.file), tuple(map(moved, subject.path))
    return replace(subject, root=root, file=file, path=path, bindings=subject.bindings and moved(subject.bindings))


@contextmanager
def tracers(subjects: Sequence[Subject], folder: Path, limit: float | None) -> Iterator[tuple[Foreign, ...]]:
    """Processes of subjects that say what runs of the files in a folder."""
    with ExitStack() as stack:
        begun = []
        for subject in subjects:
            begun.append(Foreign(subject, limit=limit, traced=folder))
            stack.callback(begun[-1].end)
        yield tuple(begun)


def traced(contracts: Sequence[Contract], by_folder: Mapping[Path, Sequence[Foreign]]) -> dict[Path, Traced]:
    """What runs for contracts, in the first case of each of their strata, by folder.

    In float64, and where a case is the first in float32, too: code may ask for the precision. Raises CheckNotMade where
    a process cannot start.
    """
    found = {folder: Traced() for folder in by_folder}
    every = [framework for frameworks in by_folder.values() for framework in frameworks]
    domain = shared([framework.domain for framework in every])
    for contract in (one for one in contracts if any(framework.binds(one) for framework in every)):
        claimed, _ = domain.restricted(contract)
        for folder, answer in list(_asked(claimed, by_folder)):
            try:
                found[folder].add(contract.name, answer(), folder)
            except (CheckNotMade, StackError, MemoryError) as error:
                found[folder].lost[contract.name] = str(error)
    return found


def _asked(
    contract: Contract, by_folder: Mapping[Path, Sequence[Foreign]]
) -> Iterator[tuple[Path, Callable[[], Trace]]]:
    for number, case in enumerate(forced(contract)):
        inputs = case.inputs()
        for precision in precisions_of(inputs, (FLOAT64,) if number else (FLOAT32, FLOAT64)):
            for folder, frameworks in by_folder.items():
                for framework in frameworks:
                    if framework.binds(contract) and not framework.domain.why_outside(contract, inputs):
                        for entry in (None, *framework.entries_of(contract, inputs, precision)):
                            terms = framework.conventions(contract, entry)
                            given = terms.given(inputs)
                            yield folder, framework.trace(terms.contract or contract, given, precision, entry)


def _within(file: str, folder: Path) -> str:
    return Path(file).relative_to(folder.resolve()).as_posix()
