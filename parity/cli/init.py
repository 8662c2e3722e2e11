"""`parity init` declares a subject in a user's repository."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import click

from parity._ground.codes import AGREE
from parity._ground.errors import UsageError
from parity._ground.text import text_if_any
from parity.contracts.declared import REGISTRY
from parity.report.terminal import console
from parity.stacks import declared
from parity.stacks.bindings import HEADING, TEST, stub
from parity.stacks.subjects import FRAMEWORKS
from ptycho_exposures.files import write_atomically

CONFIGURATION, TESTS = Path("parity.toml"), Path("tests/test_parity.py")


@click.command("init")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@click.option("--package", required=True, metavar="NAME", help="Hold this package of yours.")
@click.option("--framework", required=True, type=click.Choice(list(FRAMEWORKS)), help="It is written in this.")
@click.option("--subject", metavar="NAME", help="Call it so in every report.  [default: the name of the package]")
@click.option("--python", metavar="FILE", help="Run it with this interpreter.  [default: the harness's own]")
def init_command(names: tuple[str, ...], package: str, framework: str, subject: str | None, python: str | None) -> int:
    """Declare your code as a subject.

    The contracts can then be held in it. The command writes parity.toml, a file of bindings with a stub for each
    CONTRACT, and a test file for `pytest -m parity`. A file that is there already is never changed.

    Call it in the root of your repository, from which Python imports your package.
    """
    if not all(part.isidentifier() for part in package.split(".")):
        raise UsageError(f"--package: expected a name that Python can import, such as mine.optics, got '{package}'")
    if subject is not None and not re.fullmatch(r"[A-Za-z0-9_-]+", subject):
        raise UsageError(f"--subject: expected letters, digits, - and _, got '{subject}'")
    name = subject or re.sub(r"[^a-z0-9_-]", "-", package.lower())
    bindings = Path(f"parity_{re.sub(r'[^a-z0-9_]', '_', name)}.py")
    if name in declared():
        raise UsageError(f"--subject: expected a name that is not declared yet, got '{name}'")
    written = {
        CONFIGURATION: _declaration(name, framework, package, bindings, python),
        bindings: _bindings(names, framework, package),
        TESTS: TEST,
    }
    for path in (bindings, *((TESTS,) if not declared() else ())):
        if path.exists():
            raise UsageError(f"{path}: expected no such file, got one; move it, or choose another --subject")
    out = console()
    for path, text in written.items():
        if path == TESTS and path.exists():
            continue
        text_before = text_if_any(path)
        before = "" if text_before is None else f"{text_before}\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (before + text).encode())
        out.print(f"written: {path}", soft_wrap=True)
    out.print(f"next: write what each stub asks for in {bindings}, then: parity bindings check; parity run")
    return AGREE


def _declaration(name: str, framework: str, package: str, bindings: Path, python: str | None) -> str:
    interpreter = f"python = {json.dumps(python)}\n" if python else ""
    return (
        f"[subjects.{name}]\n"
        f'framework = "{framework}"\n'
        f'package = "{package}"\n'
        f"{interpreter}"
        f'path = ["."]\n'
        f'bindings = "{bindings}"\n'
    )


def _bindings(names: Sequence[str], framework: str, package: str) -> str:
    stubs = [stub(contract, framework, package) for contract in REGISTRY.select(names)] if names else []
    return HEADING.format(package=package, framework=framework) + "".join(f"\n\n{text}" for text in stubs)
