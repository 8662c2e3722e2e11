"""A package of three lines, its tests, and mutants of it."""

import importlib
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from parity.proof.mutants.asking import Session
from parity.proof.mutants.mutate import Mutant, MutantKind

NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Tiny:
    """A package with one file, `code.py`, and one file of tests; `name` is that of no package before it."""

    name: str
    folder: Path
    code: ModuleType

    def question(self, test: str) -> Session:
        """Runs a test, which finds the file as `code`."""
        path = self.folder / f"test_{self.name}.py"
        path.write_text(f"from {self.name} import code\n\n\n{test}")
        return Session(("--rootdir", str(self.folder), "-c", "/dev/null", str(path)), (path,))

    def mutant(self, definition: str, source: str) -> Mutant:
        what = (definition, definition, 1, 0, "by hand", "", "", MutantKind.MATHEMATICS)
        return Mutant(self.name, "code", *what, source)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    name = f"tiny{next(NUMBERS)}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    lines = ("LIMIT = 2", "def doubled(x): return LIMIT * x", "def quadrupled(x): return doubled(doubled(x))")
    (tmp_path / name / "code.py").write_text("\n".join(lines))
    yield Tiny(name, tmp_path, importlib.import_module(f"{name}.code"))
    for module in [module for module in sys.modules if name in module]:
        del sys.modules[module]
