"""The mirror rule, on a tree of its own."""

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from parity.contracts import mirror
from parity.contracts.contract import Argument, Contract, Result
from parity.contracts.mirror import line_of, mirror_faults
from parity.contracts.registry import Registry
from parity.physics.kinds import AMPLITUDE, SCALAR

MAE = Contract(
    "losses.mae",
    "mean |Â − A|",
    (Argument("predicted", AMPLITUDE, differentiable=True), Argument("observed", AMPLITUDE, differentiable=True)),
    (Result("mae", SCALAR),),
    (),
)
STACK = "def mae(predicted, observed): ...\ndef _private(x): ...\nclass Loss: ...\n"
ORACLE = STACK + "def mae_vjp(cotangent, predicted, observed): ...\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stacks and an oracle that mirror each other."""
    folders = {package: tmp_path / package for package in mirror.MIRRORS}
    for package, folder in folders.items():
        folder.mkdir()
        (folder / "losses.py").write_text(ORACLE if package == "parity.physics.oracle" else STACK)
    monkeypatch.setattr(mirror, "MIRRORS", folders)
    monkeypatch.setattr(mirror, "WITHOUT_TWIN", {})
    monkeypatch.setattr(mirror, "SAMPLED", {})
    monkeypatch.setattr(mirror, "_tree", mirror._tree.__wrapped__)
    return tmp_path


def rewrite(tree: Path, package: str, source: str) -> None:
    (tree / package / "losses.py").write_text(textwrap.dedent(source))


def faults() -> list[str]:
    return mirror_faults(Registry((MAE,)))


def test_a_tree_without_fault(tree: Path) -> None:
    assert faults() == []


@pytest.mark.parametrize("package", ["ptycho", "ptycho_torch", "parity.physics.oracle"])
def test_a_function_without_a_contract(tree: Path, package: str) -> None:
    rewrite(tree, package, ORACLE.replace("mae_vjp", "_mae_vjp") + "def stray(x): ...\n")
    assert faults() == [f"{package}.losses.stray: unregistered: a public function without a contract"]


@pytest.mark.parametrize(("name", "line"), [("mae", 1), ("Loss", 3), ("no_such", 1)])
def test_a_definition_stands_on_a_line(tree: Path, name: str, line: int) -> None:
    assert line_of(f"ptycho.losses.{name}") == line_of(f"parity.physics.oracle.losses.{name}") == line


def test_a_vjp_belongs_to_the_oracle_alone(tree: Path) -> None:
    rewrite(tree, "ptycho", ORACLE)
    assert faults() == ["ptycho.losses.mae_vjp: unregistered: a public function without a contract"]


def test_other_arguments(tree: Path) -> None:
    rewrite(tree, "ptycho_torch", "def mae(pred, observed): ...")
    assert faults() == [
        "ptycho_torch.losses.mae: expected arguments ['predicted', 'observed'], got ['pred', 'observed']"
    ]


def test_a_missing_function(tree: Path) -> None:
    rewrite(tree, "ptycho", "mae = None")
    assert faults() == ["ptycho.losses.mae: expected a function of this name, got none"]


def test_arguments_of_every_sort_are_counted(tree: Path) -> None:
    rewrite(tree, "ptycho", "def mae(predicted, /, *, observed): ...")
    assert faults() == []


def test_a_function_without_a_twin_is_listed_with_its_reason(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(tree, "ptycho", STACK + "def stray(x): ...\n")
    monkeypatch.setattr(mirror, "WITHOUT_TWIN", {"ptycho.losses.stray": "there is none in PyTorch"})
    assert faults() == []


def test_a_listed_function_that_is_not_there(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "WITHOUT_TWIN", {"ptycho.losses.stray": "there is none in PyTorch"})
    assert faults() == ["ptycho.losses.stray: listed as having no twin, but there is no such function"]


def test_a_listing_does_not_outlive_the_contract_that_makes_it_needless(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "WITHOUT_TWIN", {"ptycho.losses.mae": "there is none in PyTorch"})
    assert len(faults()) == 1


def test_a_missing_file_is_a_fault_not_a_crash(tree: Path) -> None:
    (tree / "ptycho" / "losses.py").unlink()
    assert faults() == ["ptycho.losses.mae: expected a function of this name, got none"]


def test_a_sampler_has_a_twin_but_no_oracle(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "SAMPLED", {"losses.draw": replace(MAE, name="losses.draw")})
    rewrite(tree, "ptycho", STACK + "def draw(predicted, observed): ...\n")
    rewrite(tree, "ptycho_torch", STACK + "def draw(predicted): ...\n")
    assert faults() == ["ptycho_torch.losses.draw: expected arguments ['predicted', 'observed'], got ['predicted']"]


CONFIGURATION = "@dataclass(frozen=True)\nclass Config:\n    size: int = 64\n    scale: float = 2.0\n"


@pytest.mark.parametrize(
    ("theirs", "got"),
    [
        (CONFIGURATION.replace("64", "128"), "(size: int = 128, scale: float = 2.0)"),
        (CONFIGURATION.replace("    scale: float = 2.0\n", ""), "(size: int = 64)"),
        ("", "none"),
    ],
)
def test_a_configuration_has_the_same_fields_and_defaults_in_both(tree: Path, theirs: str, got: str) -> None:
    rewrite(tree, "ptycho", STACK + CONFIGURATION)
    rewrite(tree, "ptycho_torch", STACK + CONFIGURATION)
    assert faults() == []
    rewrite(tree, "ptycho_torch", STACK + theirs)
    expected = "(size: int = 64, scale: float = 2.0)"
    assert faults() == [f"ptycho_torch.losses.Config: expected {expected} as in ptycho, got {got}"]
