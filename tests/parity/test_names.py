"""Every class has a name of its own: a word that means two things has to be looked up each time it is read."""

import ast
from collections import defaultdict
from pathlib import Path

import parity

PACKAGE = Path(parity.__file__).parent


def classes(path: Path) -> list[ast.ClassDef]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)]


def test_no_class_name_is_defined_twice() -> None:
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in classes(path):
            places[node.name].append(f"{path.relative_to(PACKAGE.parent)}:{node.lineno}")
    assert len(places) > 100
    twice = [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]
    assert not twice, "\n".join(twice)
