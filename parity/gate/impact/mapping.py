"""Changed files and definitions → contracts, by the mirror rule and by what leads to what in the sources.

A file that stands in no row here may matter to anything, and so asks for everything. So does whatever a contract's own
code leads to that nobody can follow by reading: then any change may matter to that contract.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from parity.contracts.contract import Contract
from parity.contracts.declared.sampling import SAMPLERS
from parity.contracts.mirror import MIRRORS, ORACLE
from parity.contracts.reachability import IMPORT, Address, Graph, content_of, graph_of, led_to
from parity.contracts.reading import parsed
from parity.gate.impact.changes import Change, Changes
from parity.gate.impact.darkness import Darkness, darkness_of
from parity.gate.impact.definitions import EVERYTHING, changed_definitions, changed_imports, is_quiet
from parity.stacks import MIRRORED

GOLDENS = "fixtures/golden"

_ASIDE: Mapping[str, str] = {
    "docs/*": "documentation",
    "*.md": "documentation",
    "LICENSE": "documentation",
    "benchmarks/*": "benchmarks, which judge nothing",
    "tests/*": "tests, which `make test` runs",
    ".github/*": "what runs the check, not what it judges",
    ".pre-commit-hooks.yaml": "what runs the check, not what it judges",
    ".gitignore": "what git leaves out",
}
"""Files that nothing computed depends on, by pattern, and why."""

_EXPOSURES = "ptycho_exposures"
"""The package that makes and reads what every case is made of."""

_HARNESS = ORACLE.partition(".")[0]

_STACKS: Mapping[str, str] = {stack.package: stack.name for stack in MIRRORED.values()}

FOLDERS = (*_STACKS, _EXPOSURES)
"""What runs for a contract lies in these, unless it is imported from elsewhere."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a contract is asked: what changed, where, and by which contract it is used, if not by its own function."""

    what: str
    file: str
    line: int = 1
    through: str = ""

    @property
    def words(self) -> str:
        """To stand behind the contract's name."""
        return f"uses {self.through}" if self.through else f"{self.what} changed in {self.file}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change touches.

    `touched` are contracts whose own code, oracle, declaration, defects or goldens changed; `using` those that are made
    of them, or call them. `everything` says why all contracts have to be asked, if they have, and `samplers` why those
    have. `aside` are files that nothing computed depends on, each with the reason; `unreadable` files that are no
    Python, beside which nothing can be asked.
    """

    touched: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    using: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    everything: tuple[Reason, ...] = ()
    samplers: tuple[Reason, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[Reason, ...] = ()

    def reasons(self, contract: str) -> tuple[Reason, ...]:
        """Why a contract is asked; nothing where it need not be."""
        return self.touched.get(contract) or self.using.get(contract) or self.everything


def impact_of(changes: Changes, contracts: Mapping[str, Contract]) -> Impact:
    """What the files that differ touch among contracts."""
    if not changes.files:
        return Impact()
    mapping = _Mapping(changes, contracts)
    for change in changes.files:
        mapping.add(change)
    return mapping.impact()


class _Mapping:
    """The change gone through file by file."""

    def __init__(self, changes: Changes, contracts: Mapping[str, Contract]) -> None:
        self._first, self._contracts = changes.files[0], contracts
        self._addresses = _addresses_of({**contracts, **{sampler.name: sampler for sampler in SAMPLERS}})
        self._graph = self._both_graphs(changes)
        self._modules = self._graph.modules
        self._touched: defaultdict[str, list[Reason]] = defaultdict(list)
        self._using: defaultdict[str, list[Reason]] = defaultdict(list)
        self._everything: list[Reason] = []
        self._unreadable: list[Reason] = []
        self._aside: dict[str, str] = {}

    def _both_graphs(self, changes: Changes) -> Graph:
        """What leads to what as it is, and as it was: what is gone may be missed by those that did not change."""
        old = {change.path: change.old for change in changes.files}
        modules = sorted({address.rpartition(".")[0] for address in self._addresses})
        now = graph_of(changes.root, modules)
        if not any(path.endswith(".py") for path in old):
            return now
        was = graph_of(
            changes.root, modules, lambda path: old.get(path) if path in old else content_of(changes.root / path)
        )
        return now.joined(was)

    def impact(self) -> Impact:
        self._add_darkness(darkness_of(self._graph, self._addresses, _HARNESS))
        touched, using = (
            {name: tuple(dict.fromkeys(found[name])) for name in self._contracts if name in found}
            for found in (self._touched, self._using)
        )
        using = {name: reasons for name, reasons in using.items() if name not in touched}
        samplers = [
            *self._everything,
            *(why for one in SAMPLERS for why in (*self._touched[one.name], *self._using[one.name])),
        ]
        unreadable, everything = tuple(dict.fromkeys(self._unreadable)), tuple(self._everything)
        return Impact(touched, using, everything, tuple(dict.fromkeys(samplers)), self._aside, unreadable)

    def _add_darkness(self, darkness: Darkness) -> None:
        """Whatever changed may matter to contracts whose code leads to what nobody can follow."""
        for name, dark in darkness.by_contract.items():
            if not self._touched[name]:
                self._touched[name].append(Reason(f"what `{dark.text}` in {dark.module} may lead to", self._first.path))
        if darkness.anywhere:
            dark = darkness.anywhere
            self._everything.append(Reason(f"what `{dark.text}` in {dark.module} may lead to", self._first.path))

    def add(self, change: Change) -> None:
        path = PurePosixPath(change.path)
        module, folder = self._modules.get(change.path, ""), path.parts[0]
        if not change.plain and (
            folder in FOLDERS or any(PurePosixPath(one).is_relative_to(path) for one in self._modules)
        ):
            self._everything.append(Reason("what is no ordinary file", change.path))
        elif path.suffix == ".py" and (
            folder in FOLDERS or (module and (folder != _HARNESS or self._is_mirrored(module)))
        ):
            self._add_code(change, module)
        elif path.is_relative_to("parity/contracts/declared") and self._of_module(path.stem):
            self._touch_module(path.stem, Reason("its declaration", change.path))
        elif any(path.is_relative_to(f"parity/faults/{kind}") for kind in ("catalogue", "rewrites")):
            self._add_defects(change, path)
        elif path.is_relative_to(GOLDENS):
            self._add_golden(change, path)
        elif reason := next((why for pattern, why in _ASIDE.items() if fnmatchcase(change.path, pattern)), ""):
            self._aside[change.path] = reason
        else:
            self._everything.append(Reason("what may matter to all", change.path))

    def _is_mirrored(self, module: str) -> bool:
        package, _, name = module.rpartition(".")
        return package == ORACLE and bool(self._of_module(name))

    def _add_code(self, change: Change, module: str) -> None:
        """A file of Python that contracts may import: the definitions that differ, and the contracts they lead to."""
        old, new = change.old or b"", change.new or b""
        try:
            parsed(new)
        except SyntaxError as error:
            self._unreadable.append(Reason(error.msg, change.path, error.lineno or 1))
            return
        try:
            differing = {**changed_imports(old, new), **changed_definitions(old, new)}
        except SyntaxError:
            self._everything.append(Reason("what was no Python", change.path))
            return
        loud = [name for name in differing if name == EVERYTHING or not is_quiet(name, old, new)]
        if not differing:
            self._aside[change.path] = "comments and docstrings alone"
        elif change.path.startswith(f"{_EXPOSURES}/") or (loud and module):
            name = (loud or list(differing))[0]
            what = "code that runs when it is imported" if name == EVERYTHING else name
            self._everything.append(Reason(what, change.path, differing[name]))
        elif not module:
            self._aside[change.path] = "no contract leads here: nothing that one imports imports it"
        else:
            self._add_definitions(change, module, differing)

    def _add_definitions(self, change: Change, module: str, definitions: Mapping[str, int]) -> None:
        found = [self._reach(f"{module}.{name}", Reason(name, change.path, line)) for name, line in definitions.items()]
        if any(found):
            return
        if module.startswith(f"{ORACLE}."):
            self._everything.append(Reason("what the harness is made of", change.path))
        else:
            self._aside[change.path] = "no contract leads here: nothing that one runs names what differs"

    def _reach(self, definition: Address, reason: Reason) -> bool:
        """Ask every contract that a definition leads to; whether there is any."""
        found = False
        for reached, before in led_to(definition, self._graph.callers, frozenset(self._addresses)).items():
            if reached.endswith(f".{IMPORT}"):
                self._everything.append(replace(reason, what=f"{reason.what}, which an import needs,"))
                found = True
            for contract in self._addresses.get(reached, ()):
                found = True
                if before is None:
                    self._touched[contract].append(reason)
                else:
                    self._using[contract].append(replace(reason, through=self._addresses[before][0]))
        return found

    def _add_defects(self, change: Change, path: PurePosixPath) -> None:
        module = path.stem.partition("_")[0]
        if self._of_module(module):
            self._touch_module(module, Reason("defects aimed at it", change.path))
        else:
            self._everything.append(Reason("defects of all", change.path))

    def _add_golden(self, change: Change, path: PurePosixPath) -> None:
        names = [name for name in self._contracts if name in path.parts]
        for name in names:
            self._touched[name].append(Reason("a golden of it", change.path))
        if not names:
            self._aside[change.path] = "a list of the goldens"

    def _of_module(self, module: str) -> list[str]:
        return [name for name, contract in self._contracts.items() if contract.module == module]

    def _touch_module(self, module: str, reason: Reason) -> None:
        for name in self._of_module(module):
            self._touched[name].append(reason)


def _addresses_of(contracts: Mapping[str, Contract]) -> dict[Address, tuple[str, ...]]:
    """The contracts by the addresses of their functions and entries, in the stacks and in the oracle."""
    found: defaultdict[Address, list[str]] = defaultdict(list)
    for name, contract in contracts.items():
        for package in MIRRORS:
            found[f"{package}.{contract.address}"].append(name)
            for entry in contract.entries:
                if entry.stack == _STACKS.get(package):
                    found[f"{package}.{entry.path}"].append(name)
        found[f"{ORACLE}.{contract.address}_vjp"].append(name)
    return {address: tuple(names) for address, names in found.items()}
