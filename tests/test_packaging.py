"""The harness beside packages of others that bear the names of the stacks: the wheel leaves them, what judges too.

The wheel is built once, without a network, and installed into a folder that had such packages before. To import one of
them is an error. Everything but running a stack is done beside them, in a process of its own: in this repository, with
them first on the path, and where the wheel is installed.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from parity import cli
from parity._ground.repository import ROOT

OWN = ("parity", "ptycho_exposures")
STRANGERS = ("ptycho", "ptycho_torch")
GOLDENS = ROOT / "fixtures" / "golden"


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that these sources make, built without a network."""
    root = tmp_path_factory.mktemp("sources")
    for name in (*OWN, *STRANGERS):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root)
    run("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "made", ".", cwd=root)
    (made,) = (root / "made").iterdir()
    return made


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a folder with packages named as the stacks are, which must not be touched: to import them is an error."""

    def made(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        for stranger in STRANGERS:
            (folder / stranger).mkdir()
            (folder / stranger / "__init__.py").write_text(f"raise AssertionError('{stranger} was touched')\n")
            (folder / stranger / "losses.py").write_text("def mae(target, prediction): ...\n")
        return folder

    return made


@pytest.fixture(scope="session")
def installed(wheel: Path, strangers: Callable[[str], Path]) -> Path:
    """A folder of packages that had both strangers before the wheel was installed into it."""
    folder = strangers("site-packages")
    run("-m", "pip", "install", "--no-deps", "--no-index", "--target", folder, wheel, cwd=folder)
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_wheel_holds_the_harness_and_the_exposures_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in names} == set(OWN)
    sources = {path.relative_to(ROOT).as_posix() for package in OWN for path in (ROOT / package).rglob("*.py")}
    assert sources <= names
    assert {f"{package}/py.typed" for package in OWN} <= names
    assert any(name.startswith("parity/report/html/templates/") for name in names)


def test_packages_named_as_the_stacks_are_left_as_they_were(installed: Path, strangers: Callable[[str], Path]) -> None:
    before, after = digests(strangers("before")), digests(installed)
    assert {name: after[name] for name in after if name.partition("/")[0] in STRANGERS} == before


PROGRAM = """
import importlib, pkgutil, sys

sys.path[:0] = [{path!r}]
import parity

assert parity.__file__.startswith({home!r}), parity.__file__


def untouched():
    return not [name for name in sys.modules if name.split(".")[0] in {strangers!r}]


for found in pkgutil.walk_packages(parity.__path__, "parity."):
    importlib.import_module(found.name)
assert untouched()

from parity import cli
from parity.contracts.cases.case import forced
from parity.contracts.declared import REGISTRY
from parity.physics.precision import FLOAT64
from parity.judging.expectation import bounded_values

for contract in REGISTRY.values():
    case = next(forced(contract))
    bounded_values(contract, case.inputs(), FLOAT64)

for arguments in {commands!r}:
    try:
        cli.main(arguments)
    except SystemExit as end:
        assert end.code == 0, (arguments, end.code)
    assert untouched(), arguments
"""


def tried(home: Path, path: Path, commands: list[list[str]], folder: Path) -> str:
    """What a process prints that does all this with the harness at `home`, `path` first on its path."""
    program = PROGRAM.format(path=str(path), home=str(home), strangers=STRANGERS, commands=commands)
    return run("-c", program, cwd=folder)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The stored results of both shards of a small run."""
    folders = [tmp_path_factory.mktemp("shard") for _ in range(2)]
    for number, folder in enumerate(folders, start=1):
        options = ["--examples", "2", "--precision", "f64", "--stack", "torch"]
        with pytest.raises(SystemExit) as ended:
            cli.main(["run", "losses.mae", *options, "--shard", f"{number}/2", "--report", str(folder)])
        assert ended.value.code == cli.AGREE
    return [folder / cli.RESULTS for folder in folders]


def test_in_this_repository(shards: list[Path], strangers: Callable[[str], Path], tmp_path: Path) -> None:
    commands = [
        ["contracts", "list"],
        ["golden", "verify", "--fixtures", str(GOLDENS)],
        ["merge", *map(str, shards), "--report", str(tmp_path / "merged")],
        ["report", str(shards[0]), "--report", str(tmp_path / "report")],
    ]
    out = tried(ROOT, strangers("first"), commands, tmp_path)
    assert "the mirror rule" not in out
    assert (tmp_path / "merged" / cli.RESULTS).is_file()
    assert (tmp_path / "report" / "report.md").is_file()


def test_where_the_wheel_is_installed(shards: list[Path], installed: Path, tmp_path: Path) -> None:
    commands = [
        ["contracts", "list"],
        ["contracts", "show", "losses.mae"],
        ["golden", "verify", "--fixtures", str(GOLDENS)],
        ["report", str(shards[0]), "--report", str(tmp_path / "report")],
    ]
    out = tried(installed, installed, commands, tmp_path)
    assert "the mirror rule: there is no stack beside the harness, so the oracle alone was read" in out


IMPORTED = """
import sys

sys.path[:0] = [{path!r}]
from parity._ground.repository import import_stack

print(import_stack("ptycho.diffsim").__file__)
"""


def test_a_stack_that_is_run_is_this_repository_s_whatever_is_first_on_the_path(
    strangers: Callable[[str], Path], tmp_path: Path
) -> None:
    said = run("-c", IMPORTED.format(path=str(strangers("first"))), cwd=tmp_path)
    assert said.strip() == str(ROOT / "ptycho" / "diffsim.py")


def test_the_wheel_has_no_stack_and_leaves_the_names_to_others(installed: Path, tmp_path: Path) -> None:
    program = IMPORTED.format(path=str(installed)).replace("print", "try: print") + (
        "except AssertionError as error: print(error)"
    )
    assert run("-c", program, cwd=tmp_path).strip() == "ptycho was touched"
