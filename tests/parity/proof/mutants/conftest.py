"""A package of three lines, its tests, and mutants of it."""

import ast
import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parity.proof.mutants.asking import Session
from parity.proof.mutants.mutate import Mutant, MutantKind, mutants_of

NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Tiny:
    """A package with one file, `code.py`, and one file of tests; `name` is that of no package before it."""

    name: str
    folder: Path

    def code(self, text: str) -> None:
        (self.folder / self.name).mkdir()
        (self.folder / self.name / "__init__.py").touch()
        (self.folder / self.name / "code.py").write_text(textwrap.dedent(text))

    def question(self, test: str) -> Session:
        """Runs a test, which finds the file as `code`."""
        path = self.folder / f"test_{self.name}.py"
        path.write_text(f"from {self.name} import code\n\n\n{textwrap.dedent(test)}")
        return Session(("--rootdir", str(self.folder), "-c", "/dev/null", str(path)), (path,))

    def mutant(self, definition: str, source: str) -> Mutant:
        return Mutant(
            self.name,
            "code",
            definition,
            definition,
            1,
            0,
            "by hand",
            "",
            "",
            MutantKind.MATHEMATICS,
            textwrap.dedent(source),
        )


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Iterator[Tiny]:
    made = Tiny(f"tiny{next(NUMBERS)}", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield made
    for name in [name for name in sys.modules if made.name in name]:
        del sys.modules[name]


@pytest.fixture
def changes() -> Callable[[str, str], list[str]]:
    """What an operator makes of the body of a function of x and y, by the name of the operator."""

    def found(operator: str, body: str) -> list[str]:
        text = f"import tf\n\ndef f(x, y):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
        mutants = [mutant for mutant in mutants_of("p", "m", text) if mutant.operator == operator]
        return [ast.unparse(ast.parse(mutant.source).body[0].body).strip() for mutant in mutants]  # type: ignore[attr-defined]

    return found
