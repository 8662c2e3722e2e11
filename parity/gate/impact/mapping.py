"""Changed files and definitions → contracts, by the mirror rule and by what leads to what in the sources.

A file that stands in no row here may matter to anything, and so asks for everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from parity._ground.repository import STACKS, prefer_own_stacks
from parity.contracts.contract import Contract
from parity.contracts.declared.sampling import SAMPLERS
from parity.contracts.mirror import MIRRORS, ORACLE
from parity.contracts.reachability import Address, Callers, callers_of, led_to, sources_in
from parity.gate.impact.changes import Change, Changes
from parity.gate.impact.definitions import EVERYTHING, changed_definitions
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

_READ = (*MIRRORS, _EXPOSURES)
"""The packages whose definitions are told apart."""

_STACKS: Mapping[str, str] = {stack.package: stack.name for stack in MIRRORED.values()}

_SAMPLERS = frozenset(sampler.address for sampler in SAMPLERS)


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
    mapping = _Mapping(changes, contracts)
    for change in changes.files:
        mapping.add(change)
    return mapping.impact()


class _Mapping:
    """The change gone through file by file."""

    def __init__(self, changes: Changes, contracts: Mapping[str, Contract]) -> None:
        self._changes, self._contracts = changes, contracts
        self._touched: defaultdict[str, list[Reason]] = defaultdict(list)
        self._using: defaultdict[str, list[Reason]] = defaultdict(list)
        self._everything: list[Reason] = []
        self._unreadable: list[Reason] = []
        self._samplers: list[Reason] = []
        self._callers_by_package: dict[str, Callers] = {}
        self._aside: dict[str, str] = {}

    def impact(self) -> Impact:
        touched, using = (
            {name: tuple(dict.fromkeys(found[name])) for name in self._contracts if name in found}
            for found in (self._touched, self._using)
        )
        using = {name: reasons for name, reasons in using.items() if name not in touched}
        samplers, unreadable = (tuple(dict.fromkeys(found)) for found in (self._samplers, self._unreadable))
        return Impact(touched, using, tuple(self._everything), samplers, self._aside, unreadable)

    def add(self, change: Change) -> None:
        path = PurePosixPath(change.path)
        if any(path.is_relative_to(_folder(package)) for package in _READ) and path.suffix == ".py":
            self._add_mirrored(change, path)
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

    def _add_mirrored(self, change: Change, path: PurePosixPath) -> None:
        """A file of `_READ`: the definitions that differ, and the contracts that they lead to."""
        package = next(package for package in _READ if path.is_relative_to(_folder(package)))
        mirrored = package != ORACLE or self._of_module(path.stem)
        if path.parent != PurePosixPath(_folder(package)) or path.stem == "__init__" or not mirrored:
            self._beside_the_mirrors(change, package)
            return
        try:
            differing = changed_definitions(_text(change.old), _text(change.new))
            self._callers(package)
        except SyntaxError as error:
            self._unreadable.append(Reason(error.msg, change.path, error.lineno or 1))
            return
        if not differing:
            self._aside[change.path] = "comments and docstrings alone"
            return
        reached = False
        for name, line in differing.items():
            changed = self._all_in(package, path.stem) if name == EVERYTHING else [f"{path.stem}.{name}"]
            for definition in changed:
                reached |= self._reach(package, definition, change, line)
        if not reached:
            self._beside_the_mirrors(change, package)

    def _reach(self, package: str, definition: Address, change: Change, line: int) -> bool:
        """Ask every contract that a definition leads to; whether there is any."""
        addresses, name = self._addresses(package), definition.partition(".")[2]
        reason = Reason(name, change.path, line)
        found = False
        for reached, before in led_to(definition, self._callers(package), frozenset(addresses)).items():
            for contract in addresses.get(reached, ()):
                if before is None:
                    self._touched[contract].append(reason)
                else:
                    self._using[contract].append(replace(reason, through=addresses[before][0]))
                found = True
            if reached in _SAMPLERS:
                self._samplers.append(reason)
                found = True
        return found

    def _all_in(self, package: str, module: str) -> list[Address]:
        known = {*self._callers(package), *self._addresses(package)}
        return sorted(address for address in known if address.startswith(f"{module}."))

    def _beside_the_mirrors(self, change: Change, package: str) -> None:
        """A file that no contract's function leads to: it matters to the contracts with an entry in it, or to all if
        the harness imports it, or to none."""
        module = ".".join(PurePosixPath(change.path).relative_to(_folder(package)).with_suffix("").parts)
        entered = [
            name for entry, names in self._addresses(package).items() for name in names if _lies_in(entry, module)
        ]
        if entered:
            for name in entered:
                self._touched[name].append(Reason("an entry of it", change.path))
        elif (
            package in (ORACLE, _EXPOSURES)
            or change.path.endswith("__init__.py")
            or _imported_by_the_harness(change.path)
        ):
            self._everything.append(Reason("what the harness is made of", change.path))
        else:
            self._aside[change.path] = "no contract leads here"

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

    def _addresses(self, package: str) -> dict[Address, list[str]]:
        """The contracts by the addresses of their functions and entries in a package."""
        found: defaultdict[Address, list[str]] = defaultdict(list)
        for name, contract in self._contracts.items():
            found[contract.address].append(name)
            if package == ORACLE:
                found[f"{contract.address}_vjp"].append(name)
            for entry in contract.entries:
                if entry.stack == _STACKS.get(package):
                    found[entry.path].append(name)
        return dict(found)

    def _callers(self, package: str) -> Callers:
        """Who names whom, as it was and as it is: what is gone may be missed by those that did not change."""
        if package not in self._callers_by_package:
            folder = PurePosixPath(_folder(package))
            now = sources_in(self._changes.root / folder)
            was = dict(now)
            for change in self._changes.files:
                path = PurePosixPath(change.path)
                if path.parent == folder and path.suffix == ".py":
                    was.pop(path.stem, None)
                    was |= {path.stem: _text(change.old)} if change.old is not None else {}
            one, other = callers_of(now, package), callers_of(was, package)
            both = {name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in {*one, *other}}
            self._callers_by_package[package] = both
        return self._callers_by_package[package]


def _lies_in(address: Address, module: str) -> bool:
    return address.rpartition(".")[0] == module


def _folder(package: str) -> str:
    return package.replace(".", "/")


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")


def _imported_by_the_harness(path: str) -> bool:
    """Whether what judges imports this file of a stack, however indirectly."""
    import grimp

    module = path.removesuffix(".py").replace("/", ".")
    prefer_own_stacks()
    graph = grimp.build_graph("parity", *STACKS, cache_dir=None)
    # A module that is gone may have been anything.
    return module not in graph.modules or graph.chain_exists(importer="parity.judging.run", imported=module)
