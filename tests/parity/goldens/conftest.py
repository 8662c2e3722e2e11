"""A small set of real goldens, frozen once, and the commands on copies of it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.contracts.cases.case import parse_case
from parity.contracts.declared import REGISTRY
from parity.goldens import provenance
from parity.goldens.folder import GoldenSet
from parity.goldens.provenance import Stamp
from parity.goldens.publish import publish
from parity.goldens.record import Golden
from parity.goldens.regenerate import promote
from parity.physics.precision import FLOAT32
from parity.stacks.base import Framework

COMMIT = "c0ffee" * 6 + "c0de"
FROZEN = (("losses.mae", "even/0"), ("optics.far_field_amplitude", "odd/0"), ("scaling.count_photons", "readings/0"))

Result = tuple[int, str, str]
Parity = Callable[..., Result]


@pytest.fixture(scope="session")
def stamp(stacks: tuple[Framework, ...]) -> Stamp:
    return Stamp("the first goldens", COMMIT, stacks)


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory, stamp: Stamp) -> Path:
    """Three goldens: a number, frames with a gradient, and detector readings, which are float64. Not to be changed."""
    folder = tmp_path_factory.mktemp("small") / "golden"
    cases = [parse_case(REGISTRY[contract], case) for contract, case in FROZEN]
    goldens = [promote(case, FLOAT32, stamp, uncommitted={}) for case in cases]
    publish(folder, GoldenSet.empty(), {golden.name: golden for golden in goldens}, stamp)
    return folder


@pytest.fixture
def frozen(small_set: Path) -> Callable[[str], Golden]:
    """The golden of a contract in the set."""
    stored = GoldenSet.read(small_set)
    return lambda contract: next(stored.golden(name) for name in stored.names if name.startswith(f"{contract}/"))


@pytest.fixture
def break_torch(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace `losses.mae` of the PyTorch stack by one that is wrong by a factor, or as a function says."""
    from ptycho_torch import losses

    right = losses.mae

    def replace(wrong: float | Callable[..., Any]) -> None:
        broken = wrong if callable(wrong) else lambda predicted, observed: right(predicted, observed) * wrong
        monkeypatch.setattr(losses, "mae", broken)

    return replace


@pytest.fixture
def fixtures(small_set: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(small_set, tmp_path / "golden"))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A small data set of one's own, in a file."""
    random = np.random.default_rng(1)
    path = tmp_path / "my scan.npz"
    np.savez(
        path,
        diffraction=random.uniform(0, 9, (6, 8, 8)),
        probeGuess=random.standard_normal((2, 8, 8)) + 1j * random.standard_normal((2, 8, 8)),
        xcoords=random.uniform(0, 20, 6),
        ycoords=random.uniform(0, 20, 6),
    )
    return path


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[bytes, int]]]:
    """Every file below a folder: its content, and when it was written."""

    def taken(folder: Path) -> dict[str, tuple[bytes, int]]:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    return taken


@pytest.fixture
def changed_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A repository whose files with uncommitted changes are those of this list, none to begin with; and no CI."""
    files: list[str] = []

    def git(root: Path, command: str, *arguments: str) -> str:
        if command == "rev-parse":
            return f"{COMMIT}\n"
        asked = arguments[arguments.index("--") + 1 :]
        return "".join(f" M {file}\0" for file in files if not asked or file.split("/")[0] in asked)

    monkeypatch.setattr(provenance, "_git", git)
    monkeypatch.delenv("CI", raising=False)
    return files


@pytest.fixture
def parity_golden(parity_command: Parity, fixtures: Path, changed_files: list[str]) -> Parity:
    """`parity golden` on `fixtures`, called with its arguments; gives exit code, output and errors."""
    return lambda *arguments: parity_command("golden", *arguments, "--fixtures", str(fixtures))
