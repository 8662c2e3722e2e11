"""What is asked about a mutant: the contracts that can see it, or the unit tests of the file whose borders it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from parity.contracts.declared import REGISTRY
from parity.contracts.reachability import Callers, graph_of, nearest_first
from parity.proof.mutants.asking import Session
from parity.proof.mutants.mutate import Mutant, MutantKind
from parity.proof.score.session import CONTRACTS, TEST
from parity.stacks import MIRRORED

FEW, MANY = 2, 20
"""Cases drawn of a contract, besides its strata, at the first asking and, of those that remain silent, at the last."""

STACKS: Mapping[str, str] = {stack.package: stack.name for stack in MIRRORED.values()}
"""The stack of each package."""

FILES = tuple(
    f"{package}/{name}.py" for package in STACKS for name in ("losses", "optics", "scaling", "patches", "forward")
)
"""The sources that are mutated: the losses, and what leads from an object to its diffraction amplitudes.

Networks, training, probes and the loading of data are not: their contracts are held, but nobody mutates them yet.
"""

_TESTS = {"ptycho": "ptycho", "ptycho_torch": "torch"}
"""The folder of the unit tests that a package alone has, beside those of `stacks`, which both stacks have."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree: the folder that has the stacks and their tests."""

    root: Path

    def sessions(self, mutant: Mutant) -> tuple[Session, ...]:
        """What to ask about a mutant, in this order; nothing where no contract leads to it."""
        if mutant.kind is MutantKind.BORDER:
            return (self.units(mutant.package, mutant.module),)
        groups = self._reaching(mutant)
        if not groups:
            return ()
        everything = tuple(name for group in groups for name in group)
        return self.contracts(groups[0], FEW), self.contracts(everything, MANY)

    def nearest(self, mutant: Mutant) -> tuple[str, ...]:
        """The contracts that lead to what a mutant changes in the fewest calls."""
        return next(iter(self._reaching(mutant)), ())

    def _reaching(self, mutant: Mutant) -> tuple[tuple[str, ...], ...]:
        callers = _callers(self.root / mutant.package)
        address = f"{mutant.package}.{mutant.address}"
        return nearest_first(address, callers, REGISTRY, mutant.package, STACKS[mutant.package])

    def contracts(self, names: tuple[str, ...], draws: int) -> Session:
        """`pytest -m parity` on some contracts, in this order."""
        path = self.root / CONTRACTS
        tests = [f"{path}::{TEST}[{name}]" for name in names]
        drawn = ("--parity-profile", "ci", "--parity-examples", str(draws))
        return Session(("--rootdir", str(self.root), "-m", "parity", *drawn, *tests), (path,))

    def units(self, package: str, module: str) -> Session:
        """The unit tests of a file of a stack, after those of what the stack refuses."""
        folders = [self.root / "tests" / name for name in ("stacks", _TESTS[package])]
        asked = [folder / f"test_{name}.py" for name in ("checks", module) for folder in folders]
        paths = tuple(path for path in asked if path.is_file())
        others = " or ".join(name for stack, name in STACKS.items() if stack != package)
        return Session(("--rootdir", str(self.root), "-k", f"not ({others})", *map(str, paths)), paths)


@cache
def _callers(folder: Path) -> Callers:
    modules = (f"{folder.name}.{file.stem}" for file in sorted(folder.glob("*.py")))
    return graph_of(folder.parent, modules).callers
