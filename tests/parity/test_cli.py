"""The `parity` command: what it prints, and every exit code provoked."""

import importlib.util
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity import cli
from parity.contracts import REGISTRY
from parity.results import read_results

PATTERNS, SIZE = 6, 8
FEW = ("--examples", "0", "--precision", "f64", "--mode", "eager")

Result = tuple[int, str, str]
Parity = Callable[..., Result]


@pytest.fixture
def parity_command(capsys: pytest.CaptureFixture[str]) -> Parity:
    """The command, called with its arguments; gives exit code, output and errors."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call


@pytest.fixture
def torn_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch stack whose mean absolute error is off by one in a million millions."""
    from ptycho_torch import losses

    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * (1 + 1e-12))


def data_set(path: Path, **changed: NDArray[Any] | None) -> str:
    """A small data set in a file; `None` leaves an array out."""
    random = np.random.default_rng(1)
    arrays: dict[str, NDArray[Any] | None] = {
        "diffraction": random.uniform(0, 9, (PATTERNS, SIZE, SIZE)),
        "probeGuess": random.standard_normal((2, SIZE, SIZE)) + 1j * random.standard_normal((2, SIZE, SIZE)),
        "xcoords": random.uniform(0, 20, PATTERNS),
        "ycoords": random.uniform(0, 20, PATTERNS),
    }
    kept: dict[str, Any] = {name: array for name, array in (arrays | changed).items() if array is not None}
    np.savez(path, **kept)
    return str(path)


def test_0_all_agree(parity_command: Parity) -> None:
    code, out, err = parity_command("run", "losses.mae", *FEW)
    assert code == cli.AGREE == 0
    assert "losses.mae" in out
    assert out.splitlines()[-1] == f"1 contract agrees on {len(REGISTRY['losses.mae'].strata)} examples"
    assert err == ""


def test_1_a_disagreement_with_the_line_that_reproduces_it(parity_command: Parity, torn_torch: None) -> None:
    code, out, _ = parity_command("run", "losses.mae", *FEW)
    assert code == cli.DISAGREE == 1
    assert "losses.mae: torch disagrees with the oracle (tensorflow agrees), case " in out
    assert out.splitlines()[-1] == "1 of 1 contracts do not agree: losses.mae"
    (line,) = (line for line in out.splitlines() if "reproduce: parity " in line)
    again, _, _ = parity_command(*shlex.split(line.partition("reproduce: parity ")[2]))
    assert again == cli.DISAGREE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run losses.poison_nll", "unknown contract 'losses.poison_nll'; did you mean 'losses.poisson_nll'?"),
        ("run losses.mae --precision f16", "unknown precision 'f16'; there are: f32, f64"),
        ("run losses.mae --case odd", "a case is written stratum/seed, such as odd/17; got 'odd'"),
        ("run losses.mae --case odd/-1", "a case is written stratum/seed, such as odd/17; got 'odd/-1'"),
        ("run losses.mae --case ood/1", "unknown stratum 'ood' of losses.mae; did you mean 'odd'?"),
        ("run --examples -1", "Invalid value for '--examples'"),
        ("run --mode fast", "Invalid value for '--mode'"),
        ("run --stack jax", "Invalid value for '--stack'"),
        ("run --tolerance 1e-5", "No such option"),
        ("contracts show losses.ma", "unknown contract 'losses.ma'; did you mean 'losses.mae'?"),
        ("prove", "No such command 'prove'"),
        ("", "Usage: parity"),
    ],
)
def test_2_wrong_usage(parity_command: Parity, arguments: str, message: str) -> None:
    code, out, err = parity_command(*arguments.split())
    assert code == cli.USAGE == 2
    assert message in err
    assert out == ""


def test_3_a_framework_is_missing(parity_command: Parity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, _, err = parity_command("run", "losses.mae", *FEW)
    assert code == cli.NOT_CHECKED == 3
    assert err == (
        "parity: torch is not installed, so ptycho_torch cannot be checked: "
        "pip install 'ptycho-parity[torch]', or check the other stack alone: parity run --stack\n"
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"probeGuess": None}, "probeGuess: expected to find this key"),
        ({"diffraction": np.ones((PATTERNS, SIZE, SIZE), np.uint16)}, "integers look like counts"),
        ({"diffraction": -np.ones((PATTERNS, SIZE, SIZE))}, "expected a non-negative amplitude"),
        ({"diffraction": np.full((PATTERNS, SIZE, SIZE), np.nan)}, "expected finite values"),
        ({"diffraction": np.ones((PATTERNS + 1, SIZE, SIZE))}, "expected shape (6, H, W) or (H, W, 6)"),
        ({"probeGuess": np.ones((SIZE, SIZE))}, "expected a complex64 or complex128 probe"),
        ({"probeGuess": np.ones((SIZE, SIZE + 1), complex)}, "the size of the patterns"),
        ({"xcoords": np.array([None] * PATTERNS)}, "an object array, which is never unpickled"),
    ],
)
def test_3_a_bad_data_set(
    parity_command: Parity, tmp_path: Path, changed: dict[str, NDArray[Any] | None], message: str
) -> None:
    path = data_set(tmp_path / "scan.npz", **changed)
    code, out, err = parity_command("run", "losses.mae", "--data", path, *FEW)
    assert code == cli.NOT_CHECKED
    assert err.startswith(f"parity: {path}: {next(iter(changed))}: ")
    assert message in err
    assert out == ""


def test_3_no_data_set(parity_command: Parity, tmp_path: Path) -> None:
    code, _, err = parity_command("run", "--data", str(tmp_path / "none.npz"))
    assert code == cli.NOT_CHECKED
    assert err == f"parity: {tmp_path / 'none.npz'}: expected an .npz file, got no such file\n"


def test_3_a_folder_that_cannot_be_written(parity_command: Parity, tmp_path: Path) -> None:
    """Noticed before anything is run."""
    (tmp_path / "file").touch()
    code, out, err = parity_command("run", "losses.mae", "--report", str(tmp_path / "file" / "report"), *FEW)
    assert code == cli.NOT_CHECKED
    assert str(tmp_path / "file") in err
    assert out == ""


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (ZeroDivisionError("by zero"), "parity: the check could not be made: a fault of the harness, not of a stack\n"),
        (KeyboardInterrupt(), "parity: interrupted; nothing was judged\n"),
        (MemoryError(), "parity: the check could not be made: a fault of the harness, not of a stack\n"),
    ],
    ids=["unforeseen", "interrupted", "out of memory"],
)
def test_3_whatever_is_not_foreseen(
    parity_command: Parity, monkeypatch: pytest.MonkeyPatch, raised: BaseException, message: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(cli, "run", fail)
    code, _, err = parity_command("run", "losses.mae", *FEW)
    assert code == cli.NOT_CHECKED
    assert err.endswith(message)
    assert ("Traceback" in err) == isinstance(raised, Exception)


def test_one_case(parity_command: Parity) -> None:
    code, out, _ = parity_command("run", "losses.mae", "--case", "odd/17")
    assert code == cli.AGREE
    assert out.splitlines()[-1] == "1 contract agrees on 1 example"


def test_one_stack(parity_command: Parity, torn_torch: None) -> None:
    code, out, _ = parity_command("run", "losses.mae", "--stack", "torch", *FEW)
    assert code == cli.DISAGREE
    assert "losses.mae: torch disagrees with the oracle, case " in out
    assert "tensorflow" not in out


def test_a_file_of_contracts(parity_command: Parity) -> None:
    code, out, _ = parity_command("run", "patches", *FEW)
    assert code == cli.AGREE
    assert "patches.central_weight" in out
    assert "losses.mae" not in out


@pytest.mark.parametrize("torn", [False, True])
def test_a_user_s_own_exposures(
    parity_command: Parity, tmp_path: Path, torn: bool, request: pytest.FixtureRequest
) -> None:
    if torn:
        request.getfixturevalue("torn_torch")
    path = data_set(tmp_path / "scan.npz")
    code, out, _ = parity_command("run", "losses.mae", "--data", path, *FEW)
    assert code == (cli.DISAGREE if torn else cli.AGREE)
    line = f"reproduce: parity run losses.mae --case measured/0 --data {path}"
    assert (line in out) == torn


def test_a_path_with_a_space_is_quoted_where_it_is_to_be_pasted(
    parity_command: Parity, tmp_path: Path, torn_torch: None
) -> None:
    path = data_set(tmp_path / "my scan.npz")
    _, out, _ = parity_command("run", "losses.mae", "--data", path, *FEW)
    (line,) = (line for line in out.splitlines() if "reproduce:" in line)
    assert path in shlex.split(line)


def test_what_was_asked_for_is_asked_for_again(parity_command: Parity, torn_torch: None) -> None:
    _, out, _ = parity_command("run", "losses.mae", "--stack", "torch", "--precision", "f64", "--examples", "0")
    (line,) = (line for line in out.splitlines() if "reproduce:" in line)
    assert line.endswith(" --precision f64 --stack torch")


def test_a_report_holds_every_measurement(parity_command: Parity, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "report"
    code, out, _ = parity_command("run", "losses.mae", "--report", str(folder), *FEW)
    assert code == cli.AGREE
    assert out.splitlines()[-1] == f"results: {folder / cli.RESULTS}"
    stored = read_results(folder / cli.RESULTS)
    assert list(stored) == ["losses.mae"]
    assert {m.stack for m in stored["losses.mae"]} == {"torch", "tensorflow", "pair"}


def test_every_contract_is_listed(parity_command: Parity) -> None:
    code, out, _ = parity_command("contracts", "list")
    assert code == cli.AGREE
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(REGISTRY)


def test_a_breach_of_the_mirror_rule_is_listed(parity_command: Parity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "mirror_faults", lambda contracts: ["ptycho.losses.stray: unregistered"])
    code, out, _ = parity_command("contracts", "list")
    assert code == cli.DISAGREE
    assert out.splitlines()[-1] == "ptycho.losses.stray: unregistered"


@pytest.mark.parametrize("name", list(REGISTRY))
def test_every_contract_can_be_shown(parity_command: Parity, name: str) -> None:
    code, out, _ = parity_command("contracts", "show", name)
    contract = REGISTRY[name]
    assert code == cli.AGREE
    assert contract.equation in out
    assert all(argument.name in out for argument in contract.arguments)
    assert all(stratum.shows in out for stratum in contract.strata)
    assert all(fact.statement in out for fact in contract.facts)


def test_help_and_version(parity_command: Parity) -> None:
    assert parity_command("--help")[:1] == parity_command("run", "-h")[:1] == parity_command("--version")[:1] == (0,)
