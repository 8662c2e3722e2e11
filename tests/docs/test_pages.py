"""Every file that a page names is there, every link leads somewhere, and `parity` takes every line for a shell."""

import re
import shlex
from pathlib import Path

import click
import pytest

from parity._ground.repository import ROOT
from parity.cli import cli

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build", "data", "out"}
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.@-]+)+/?")
MODULE = re.compile(r"(?:parity|ptycho\w*)(?:\.\w+)+")
COMMAND = re.compile(r"^ {4}(parity .*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MADE = ("docs/score.json",)
"""What a page names as the result of a command, and a checkout need not have."""


def named_paths(text: str) -> list[str]:
    """Paths in backticks that begin with a folder of the checkout."""
    words = [word for code in CODE.findall(text) for word in code.split()]
    return [word for word in words if PATH.fullmatch(word) and word.split("/")[0] in FOLDERS]


def named_modules(text: str) -> list[str]:
    """Dotted names in backticks that begin with a package of the checkout."""
    return [code for code in CODE.findall(text) if MODULE.fullmatch(code) and code.split(".")[0] in FOLDERS]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_module(name: str) -> bool:
    """Whether the name is a module, or something that a module defines."""
    package, *rest = name.split(".")
    path = ROOT / package
    while rest and (path / rest[0]).is_dir():
        path /= rest.pop(0)
    if rest and (path / f"{rest[0]}.py").is_file():
        path = path / f"{rest.pop(0)}.py"
    source = path if path.suffix else path / "__init__.py"
    return not rest or rest[0] in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_a_page_names_is_there(name: str) -> None:
    named = named_paths((ROOT / name).read_text(encoding="utf-8"))
    assert [path for path in named if path not in MADE and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_module_that_a_page_names_is_there(name: str) -> None:
    assert [
        module for module in named_modules((ROOT / name).read_text(encoding="utf-8")) if not is_module(module)
    ] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = ROOT / name
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    for link in links:
        place, _, anchor = link.partition("#")
        target = (page.parent / place) if place else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def parse(line: str) -> None:
    """Parse a line for a shell as the command would, up to its comment. Raises ClickException if it is not taken."""
    arguments = shlex.split(re.split(r" {2,}", line)[0])[1:]
    command: click.Command | None = cli
    context: click.Context | None = None
    while isinstance(command, click.Group):
        # With the group's own settings: a command keeps the names of its help option from the first context it has.
        context = click.Context(command, parent=context, **command.context_settings)
        if command.invoke_without_command and not {*arguments} & {*command.commands}:
            break
        _, command, arguments = command.resolve_command(context, arguments)
    assert command
    command.make_context(command.name, arguments, parent=context)


@pytest.mark.parametrize("name", NAMES)
def test_the_command_takes_every_line_of_a_page(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in COMMAND.findall((ROOT / name).read_text(encoding="utf-8")):
        for file in re.findall(r"-npz (\S+)", line):  # the command looks whether these are there
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).touch()
        parse(line)


def test_the_patterns_find_something() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert len(named_paths(text)) > 50
    assert len(named_modules(text)) > 3
    assert len(COMMAND.findall(text)) > 40
