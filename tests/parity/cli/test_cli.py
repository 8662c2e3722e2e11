"""The `parity` command: what it prints, and every exit code provoked."""

import errno
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity import cli
from parity.contracts.declared import REGISTRY
from parity.contracts.registry import Registry
from parity.judging.samplers import judge_samplers
from parity.runs.results import FORMAT, read_results, read_stored
from parity.stacks.base import Framework
from parity.stacks.transplant import read_weights, write_weights
from ptycho_torch import losses as torch_losses
from ptycho_torch.networks import CNNConfig
from tests.skips import FULL_DEVICE

PATTERNS, SIZE = 6, 8
FEW = ("--examples", "0", "--precision", "f64", "--mode", "eager")

Result = tuple[int, str, str]
Parity = Callable[..., Result]


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
        ("run --mode fast", "unknown mode 'fast'; there are: compiled, eager, graph, xla"),
        ("run --mode eager,compiled", "mode: expected one for torch, got eager and compiled"),
        ("bench losses.mae --sizes 16,x", "sizes: expected whole numbers from 8 to 4096 with commas between, got 'x'"),
        ("bench losses.mae --sizes 4", "sizes: expected whole numbers from 8 to 4096 with commas between, got '4'"),
        ("bench losses.mae --modes fast", "unknown mode 'fast'"),
        ("bench losses.mse", "unknown contract 'losses.mse'"),
        ("bench networks.autoencode@64 --sizes 9", "networks.autoencode@64: expected sizes that are multiples of 8"),
        ("run --stack jax", "Invalid value for '--stack'"),
        ("run --jobs 0", "Invalid value for '--jobs'"),
        ("run --limit 0", "Invalid value for '--limit'"),
        ("run --shard 3/2", "shard: expected a number from 1 to the number of shards, got 3/2"),
        ("run --shard half", "shard: expected number/of, such as 2/3, got 'half'"),
        ("run losses.mae --case odd/1 --shard 1/2", "shard: expected no single case beside it"),
        ("merge", "Missing argument"),
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
        "pip install 'ptycho-parity[torch]', or check the other stack alone with --stack\n"
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
        (MemoryError(), "parity: out of memory; nothing was judged\n"),
    ],
    ids=["unforeseen", "interrupted", "out of memory"],
)
def test_3_whatever_is_not_foreseen(
    parity_command: Parity, monkeypatch: pytest.MonkeyPatch, raised: BaseException, message: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("parity.cli.run.hold", fail)
    code, _, err = parity_command("run", "losses.mae", *FEW)
    assert code == cli.NOT_CHECKED
    assert err.endswith(message)
    assert ("Traceback" in err) == isinstance(raised, ZeroDivisionError)


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
    assert out.splitlines()[-4:] == [
        f"results: {folder / cli.RESULTS}",
        *(f"report: {folder / name}" for name in ("report.html", "report.md", "junit.xml")),
    ]
    text = (folder / "report.html").read_text()
    assert "<code>parity run losses.mae --examples 0 --precision f64 --mode eager</code>" in text
    stored = read_results(folder / cli.RESULTS)
    assert list(stored) == ["losses.mae"]
    assert {m.stack for m in stored["losses.mae"]} == {"torch", "tensorflow", "pair"}


def without_paths(out: str) -> list[str]:
    return [line for line in out.splitlines() if not line.startswith(("results: ", "report: "))]


def without_seconds(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    for contract in content["contracts"].values():
        del contract["seconds"]
    return content


SEVERAL = ("losses.mae", "scaling.count_photons", "optics.combine_complex", "--examples", "2", "--mode", "eager")


def test_a_run_again_finds_the_same_to_the_last_bit(parity_command: Parity, tmp_path: Path) -> None:
    stored = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        assert parity_command("run", *SEVERAL, "--report", str(folder))[0] == cli.AGREE
        stored.append(without_seconds(folder / cli.RESULTS))
    assert stored[0] == stored[1]


def sharded(parity_command: Parity, folder: Path, of: int, *arguments: str) -> tuple[list[int], Result]:
    """The exit codes of all shards of a run, and what merging them comes to; its results are in `folder`/merged."""
    parts = [folder / str(number) for number in range(1, of + 1)]
    codes = [
        parity_command("run", *arguments, "--shard", f"{number}/{of}", "--report", str(part))[0]
        for number, part in enumerate(parts, 1)
    ]
    paths = [str(part / cli.RESULTS) for part in reversed(parts)]
    return codes, parity_command("merge", *paths, "--report", str(folder / "merged"))


def test_shards_merged_are_the_run_that_was_not_shared_out(parity_command: Parity, tmp_path: Path) -> None:
    _, whole, _ = parity_command("run", *SEVERAL, "--report", str(tmp_path / "whole"))
    codes, (code, out, _) = sharded(parity_command, tmp_path, 3, *SEVERAL)
    assert (codes, code) == ([cli.AGREE] * 3, cli.AGREE)
    assert without_paths(out) == without_paths(whole)
    stored = (without_seconds(tmp_path / folder / cli.RESULTS) for folder in ("whole", "merged"))
    assert next(stored) == next(stored)


def test_a_gain_that_no_shard_can_see_is_found_in_the_whole(
    parity_command: Parity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = torch_losses.total_variation
    monkeypatch.setattr(torch_losses, "total_variation", lambda patches: right(patches) * (1 + 3.6e-7))
    asked = ("losses.total_variation", "--examples", "20", "--precision", "f32", "--stack", "torch")
    assert parity_command("run", *asked)[0] == cli.DISAGREE
    codes, (code, out, _) = sharded(parity_command, tmp_path, 2, *asked)
    assert (codes, code) == ([cli.AGREE] * 2, cli.DISAGREE)
    assert "torch: ∂/∂patches has a common gain error between " in out
    assert "reproduce: parity run losses.total_variation --precision f32 --stack torch\n" in out


def test_a_disagreement_in_a_shard_is_one(parity_command: Parity, torn_torch: None, tmp_path: Path) -> None:
    codes, (code, out, _) = sharded(parity_command, tmp_path, 2, "losses.mae", *FEW)
    assert (codes, code) == ([cli.DISAGREE] * 2, cli.DISAGREE)
    assert "losses.mae: torch disagrees with the oracle (tensorflow agrees), case " in out


def test_a_shard_without_an_example_checks_nothing_and_can_be_merged(parity_command: Parity, tmp_path: Path) -> None:
    of = 2 * len(REGISTRY["losses.mae"].strata)
    codes, (code, _, _) = sharded(parity_command, tmp_path, of, "losses.mae", *FEW)
    assert set(codes) == {cli.AGREE, cli.NOT_CHECKED}
    assert code == cli.AGREE


def test_a_shard_that_is_missing_is_named(parity_command: Parity, tmp_path: Path) -> None:
    parity_command("run", "losses.mae", *FEW, "--shard", "1/2", "--report", str(tmp_path))
    code, out, err = parity_command("merge", str(tmp_path / cli.RESULTS))
    assert (code, out) == (cli.NOT_CHECKED, "")
    assert err == "parity: shards: expected all of 1/2 to 2/2, got none of 2/2\n"


def test_results_that_cannot_be_written_are_no_results(
    parity_command: Parity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = parity_command("run", "losses.mae", *FEW, "--report", str(tmp_path))
    assert code == cli.NOT_CHECKED
    assert err == f"parity: {tmp_path / cli.RESULTS}: No space left on device\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason=FULL_DEVICE.reason)
def test_output_that_cannot_be_written_says_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "parity", "contracts", "list"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == cli.NOT_CHECKED
    assert ended.stderr.splitlines()[-1].endswith("No space left on device")
    assert "Traceback" not in ended.stderr


def test_without_memory_a_contract_is_not_checked_and_the_others_go_on(
    parity_command: Parity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starve(predicted: Any, observed: Any) -> Any:
        raise MemoryError("no room")

    monkeypatch.setattr(torch_losses, "mae", starve)
    asked = ("losses.mae", "scaling.count_photons", *FEW)
    code, out, _ = parity_command("run", *asked, "--report", str(tmp_path))
    assert code == cli.NOT_CHECKED
    assert "losses.mae: not checked: ran out of memory: no room" in out
    assert without_paths(out)[-1].endswith("; 1 of 2 contracts not checked: losses.mae")
    stored = read_stored(tmp_path / cli.RESULTS)
    assert dict(stored.not_checked) == {"losses.mae": "ran out of memory: no room"}
    assert list(stored.measurements) == ["scaling.count_photons"]


def test_a_report_of_a_disagreement_says_why(parity_command: Parity, torn_torch: None, tmp_path: Path) -> None:
    code, out, _ = parity_command("run", "losses.mae", "--report", str(tmp_path), *FEW)
    assert code == cli.DISAGREE
    (cause,) = (line.strip() for line in out.splitlines() if "cause: " in line)
    assert cause in (tmp_path / "report.md").read_text()
    assert cause.removeprefix("cause: ") in (tmp_path / "report.html").read_text()
    assert "torch: losses.mae is wrong: mae" in (tmp_path / "report.html").read_text()
    assert '<failure message="losses.mae: torch disagrees' in (tmp_path / "junit.xml").read_text()


def test_3_a_report_that_cannot_be_written(parity_command: Parity, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    (tmp_path / "report.html" / "kept").touch()
    code, _, err = parity_command("run", "losses.mae", "--report", str(tmp_path), *FEW)
    assert code == cli.NOT_CHECKED
    assert err.startswith(f"parity: {tmp_path / 'report.html'}: expected to write the report there, got: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "results.json"]


def test_a_report_is_made_again_from_stored_results(parity_command: Parity, torn_torch: None, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    parity_command("run", "losses.mae", "--stack", "torch", "--report", str(first), *FEW)
    code, out, _ = parity_command("report", str(first / cli.RESULTS), "--report", str(second))
    assert code == cli.DISAGREE
    assert "losses.mae: torch disagrees with the oracle, case " in out
    (line,) = (line for line in out.splitlines() if "reproduce: " in line)
    assert line.endswith("--precision f64 --stack torch")
    assert {path.name for path in second.iterdir()} == {"report.html", "report.md", "junit.xml"}
    assert (second / "report.html").read_text().count("<svg") == (first / "report.html").read_text().count("<svg")


def test_of_a_data_set_stored_results_do_not_know_the_name(
    parity_command: Parity, torn_torch: None, tmp_path: Path
) -> None:
    path = data_set(tmp_path / "scan.npz")
    parity_command("run", "losses.mae", "--data", path, "--report", str(tmp_path), *FEW)
    _, out, _ = parity_command("report", str(tmp_path / cli.RESULTS))
    assert "--case measured/0 --data DATA.npz --precision f64\n" in out


def test_0_stored_results_are_judged_anew(parity_command: Parity, tmp_path: Path) -> None:
    parity_command("run", "losses.mae", "--report", str(tmp_path), *FEW)
    content = (tmp_path / cli.RESULTS).read_text()
    (tmp_path / cli.RESULTS).write_text(content.replace('"outcome": "agree"', '"outcome": "disagree"'))
    code, out, _ = parity_command("report", str(tmp_path / cli.RESULTS))
    assert code == cli.AGREE
    assert out.splitlines()[-1].startswith("1 contract agrees on ")


NOTHING: dict[str, Any] = {
    "format": FORMAT,
    "environment": {},
    "asked": {
        "cases": {},
        "stacks": ["torch"],
        "precisions": ["f32"],
        "data": "",
        "sources": "",
        "options": [],
        "shard": None,
    },
    "contracts": {},
    "not_checked": {},
}


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (json.dumps({**NOTHING, "asked": None}), "asked: expected an object, got null"),
        (json.dumps(NOTHING), "expected stored results, got those of no contract"),
        ("[]", "expected stored results, got []"),
        (None, "no such file"),
    ],
)
def test_3_what_holds_no_results(parity_command: Parity, tmp_path: Path, content: str | None, got: str) -> None:
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    code, out, err = parity_command("report", str(path), "--report", str(tmp_path / "report"))
    assert code == cli.NOT_CHECKED
    assert got in err
    assert str(path) in err
    assert out == ""
    assert not (tmp_path / "report").exists()


def test_every_contract_is_listed(parity_command: Parity) -> None:
    code, out, _ = parity_command("contracts", "list")
    assert code == cli.AGREE
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(REGISTRY)


def test_a_breach_of_the_mirror_rule_is_listed(parity_command: Parity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity.cli.contracts.mirror_faults", lambda contracts: ["ptycho.losses.stray: unregistered"])
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
    assert ("where one precision suffices" in out) is contract.quota.any_precision


def test_help_and_version(parity_command: Parity) -> None:
    assert parity_command("--help")[:1] == parity_command("run", "-h")[:1] == parity_command("--version")[:1] == (0,)


COMPOSITION = "forward.predict_amplitude"


def test_the_stages_of_a_composition_that_fails_can_be_asked_for(
    parity_command: Parity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a line of its message, in the circumstances in which it failed."""
    from ptycho_torch import scaling

    right = scaling.apply_intensity_scale
    monkeypatch.setattr(
        scaling, "apply_intensity_scale", lambda amplitude, log_scale: right(amplitude, log_scale) * (1 + 1e-6)
    )
    _, out, _ = parity_command("run", COMPOSITION, "--stack", "torch", "--precision", "f64", "--examples", "0")
    lines = out.splitlines()
    (place,) = (place for place, line in enumerate(lines) if line.startswith("  stages: parity "))
    assert lines[place - 1].startswith("  reproduce: ")
    assert lines[place + 1].startswith("  keep it: ")
    assert lines[place].endswith(" --precision f64 --stack torch")
    code, out, _ = parity_command(*shlex.split(lines[place].partition("stages: parity ")[2]))
    assert code == cli.DISAGREE
    assert out.startswith("torch: the first divergence is scaling.apply_intensity_scale (predicted), forward\n")


ODD = {"diffraction": np.ones((PATTERNS, 7, 9)), "probeGuess": np.ones((7, 9), complex)}
"""Frames that no network takes."""
NETWORKS = ("networks.autoencode@32", "forward.reconstruction_loss@32")


@pytest.fixture
def few_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of one contract that takes every frame, and two that take few."""
    few = Registry(REGISTRY[name] for name in ("losses.mae", *NETWORKS))
    monkeypatch.setattr("parity.cli.run.REGISTRY", few)


def test_what_cannot_be_asked_of_a_user_s_frames_is_left_out_and_named(
    parity_command: Parity, tmp_path: Path, few_contracts: None
) -> None:
    code, out, err = parity_command("run", "--data", data_set(tmp_path / "scan.npz", **ODD), *FEW)
    assert code == cli.AGREE
    assert out.splitlines()[-2:] == [
        f"not asked of frames of 7 × 9: {', '.join(NETWORKS)}",
        "1 contract agrees on 1 example",
    ]
    assert err == ""
    assert out.count("@32") == len(NETWORKS)


def test_what_cannot_be_asked_is_noted_in_the_report(
    parity_command: Parity, tmp_path: Path, few_contracts: None
) -> None:
    path = data_set(tmp_path / "scan.npz", **ODD)
    code, _, _ = parity_command("run", "--data", path, "--stack", "torch", "--report", str(tmp_path), *FEW)
    assert code == cli.AGREE
    said = (tmp_path / "report.md").read_text()
    assert f"**noted: not asked**\n\n```text\nnot asked of frames of 7 × 9: {', '.join(NETWORKS)}\n```" in said


def test_nothing_is_left_out_where_all_can_be_asked(
    parity_command: Parity, tmp_path: Path, few_contracts: None
) -> None:
    _, out, _ = parity_command("run", "--data", data_set(tmp_path / "scan.npz"), "--stack", "torch", *FEW)
    assert "not asked" not in out
    assert all(f"\n{name} " in out for name in NETWORKS)


@pytest.mark.parametrize(
    "arguments",
    [("run", "networks.autoencode@32"), ("run", "networks"), ("explain", "networks.autoencode@32")],
    ids=" ".join,
)
def test_2_what_cannot_be_asked_is_asked_for_by_name(
    parity_command: Parity, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = data_set(tmp_path / "scan.npz", **ODD)
    code, out, err = parity_command(*arguments, "--case", "measured/0", "--data", path)
    assert code == cli.USAGE
    assert err == (
        "parity: networks.autoencode@32: expected frames whose sides are multiples of 4, got (7, 9) in the data set\n"
    )
    assert out == ""


@pytest.fixture
def quick_samplers(stacks: tuple[Framework, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The samplers at one level, from fewer counts."""
    monkeypatch.setattr("parity.cli.samplers.engage", lambda names: stacks)
    monkeypatch.setattr("parity.judging.samplers.judge_samplers", partial(judge_samplers, levels=[10.0], draws=10_000))


def test_0_the_samplers_are_poisson_s(parity_command: Parity, quick_samplers: None) -> None:
    code, out, err = parity_command("samplers")
    assert code == cli.AGREE
    assert "9 samplers are Poisson's: 27 tests" in out
    assert err == ""


def test_1_a_sampler_is_not_poisson_s(
    parity_command: Parity, quick_samplers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ptycho_torch import sampling

    right = sampling.sample_counts
    monkeypatch.setattr(sampling, "sample_counts", lambda intensity, seed: 2 * right(intensity / 2, seed))
    code, out, _ = parity_command("samplers")
    assert code == cli.DISAGREE
    assert "ptycho_torch.sampling.sample_counts in float32: at a mean of 10 photons the variance" in out
    assert "2 of 9 samplers are not Poisson's" in out


BRIEF = ("--steps", "2", "--optimizer", "sgd")


@pytest.fixture
def untraced(stacks: tuple[Framework, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both stacks, ready: two steps are not worth a trace."""
    monkeypatch.setattr("parity.cli.trajectory.engage", lambda names, device: stacks)


def test_0_the_stacks_stay_together_and_are_drawn(parity_command: Parity, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "report"
    code, out, err = parity_command("trajectory", *BRIEF, "--report", str(folder))
    assert code == cli.AGREE
    rows = [line.split() for line in out.splitlines() if line.startswith("sgd ")]
    assert [(row[1], row[2], row[-1]) for row in rows] == [("float32", "2", "agree"), ("float64", "2", "agree")]
    named = [Path(line.removeprefix("trajectory: ")) for line in out.splitlines() if line.startswith("trajectory: ")]
    assert named == [folder / "trajectory-sgd.png", folder / "trajectory-sgd.svg"]
    assert sorted(folder.iterdir()) == named
    assert err == ""


def torn_objective(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    from ptycho_torch import forward

    right = forward.training_objective
    monkeypatch.setattr(forward, "training_objective", lambda *given: change(right(*given)))


def test_1_the_stacks_part(parity_command: Parity, untraced: None, monkeypatch: pytest.MonkeyPatch) -> None:
    torn_objective(monkeypatch, lambda value: value + 1e-3 * (value - value.detach()))
    code, out, _ = parity_command("trajectory", *BRIEF, "--precision", "f64")
    assert code == cli.DISAGREE
    (row,) = (line.split() for line in out.splitlines() if line.startswith("sgd "))
    assert (row[1], row[-1]) == ("float64", "disagree")


def test_1_a_stack_raises_while_it_is_trained(
    parity_command: Parity, untraced: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn_objective(monkeypatch, lambda value: 1 / 0)
    code, _, err = parity_command("trajectory", *BRIEF)
    assert code == cli.DISAGREE
    assert err == "parity: a stack raised ZeroDivisionError: division by zero\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("trajectory --optimizer lbfgs", "Invalid value for '--optimizer'"),
        ("trajectory --steps 0", "Invalid value for '--steps'"),
        ("trajectory --precision f16", "unknown precision 'f16'; there are: f32, f64"),
        ("trajectory --stack torch", "No such option"),
        ("samplers torch", "unexpected extra argument"),
        ("transplant a.npz", "Missing argument 'TARGET'"),
    ],
)
def test_2_wrong_usage_of_what_asks_no_contract(parity_command: Parity, arguments: str, message: str) -> None:
    code, out, err = parity_command(*arguments.split())
    assert code == cli.USAGE
    assert message in err
    assert out == ""


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))


@pytest.mark.parametrize("command", ["samplers", "trajectory"])
def test_3_both_stacks_are_needed(parity_command: Parity, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    without(monkeypatch, "tensorflow")
    code, out, err = parity_command(command)
    assert code == cli.NOT_CHECKED
    assert err.startswith("parity: tensorflow is not installed, so ptycho cannot be checked: pip install ")
    assert out == ""


def test_3_trajectories_cannot_be_drawn(
    parity_command: Parity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Noticed before anything is trained."""
    without(monkeypatch, "matplotlib")
    monkeypatch.setattr("parity.cli.trajectory.engage", lambda names, device: pytest.fail("a stack was engaged"))
    code, out, err = parity_command("trajectory", "--report", str(tmp_path))
    assert code == cli.NOT_CHECKED
    assert err == (
        "parity: matplotlib is not installed, so trajectories cannot be drawn: "
        "pip install 'ptycho-parity[report]', or leave out --report\n"
    )
    assert out == ""


Weights = dict[str, NDArray[Any]]


def weights_of(size: int = 16, gridsize: int = 1, dtype: str = "float32", seed: int = 0) -> Weights:
    random = np.random.default_rng(seed)
    shapes = CNNConfig(size, gridsize, 0.05).parameter_shapes()
    return {name: random.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def assert_identical(path: Path, expected: Weights) -> None:
    found = read_weights(path)
    assert list(found) == list(expected)
    assert all(found[name].dtype == array.dtype for name, array in expected.items())
    assert all(np.array_equal(found[name], array) for name, array in expected.items())


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("gridsize", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_0_weights_are_moved_and_counted(
    parity_command: Parity, tmp_path: Path, size: int, gridsize: int, dtype: str
) -> None:
    drawn = weights_of(size, gridsize, dtype)
    source, target = tmp_path / "a.npz", tmp_path / "b [c].npz"
    write_weights(source, drawn)
    code, out, err = parity_command("transplant", str(source), str(target))
    number = sum(array.size for array in drawn.values())
    assert code == cli.AGREE
    assert out == f"{number:,} parameters in {dtype}, size {size}, gridsize {gridsize}: {source} → {target}\n"
    assert err == ""
    assert_identical(target, drawn)


def test_0_weights_go_round_by_every_format(parity_command: Parity, tmp_path: Path) -> None:
    drawn = weights_of()
    path = tmp_path / "a.npz"
    write_weights(path, drawn)
    for ending in (".keras", ".pt", ".weights.h5", ".pth", ".npz"):
        target = tmp_path / f"b{ending}"
        assert parity_command("transplant", str(path), str(target))[0] == cli.AGREE
        path = target
    assert_identical(path, drawn)


def test_2_a_file_that_is_there_is_not_overwritten_unasked(parity_command: Parity, tmp_path: Path) -> None:
    source, target = tmp_path / "a.npz", tmp_path / "b.npz"
    kept, moved = weights_of(seed=1), weights_of(seed=2)
    write_weights(source, moved)
    write_weights(target, kept)
    code, out, err = parity_command("transplant", str(source), str(target))
    assert code == cli.USAGE
    assert err == (f"parity: {target}: expected a file that does not exist, got one that does; --force overwrites it\n")
    assert out == ""
    assert_identical(target, kept)
    assert parity_command("transplant", str(source), str(target), "--force")[0] == cli.AGREE
    assert_identical(target, moved)


def test_2_nor_is_a_link_that_leads_nowhere(parity_command: Parity, tmp_path: Path) -> None:
    (tmp_path / "b.npz").symlink_to(tmp_path / "gone.npz")
    assert parity_command("transplant", "a.npz", str(tmp_path / "b.npz"))[0] == cli.USAGE
    assert (tmp_path / "b.npz").is_symlink()


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("none.npz", "b.npz", "none.npz: expected a file, got none"),
        ("scan.npz", "b.npz", "scan.npz: expected the parameters of an autoencoder, such as encoder_0_first_kernel"),
        ("torn.pt", "b.npz", "torn.pt: expected the state_dict of a network, got a file that cannot be read: "),
        ("a.npz", "b.onnx", "b.onnx: expected a name that ends in .weights.h5, .keras, .pt, .pth, .ckpt, .npz, got "),
    ],
)
def test_3_weights_that_cannot_be_moved(
    parity_command: Parity, tmp_path: Path, source: str, target: str, message: str
) -> None:
    """What stood in the target's place is left, even if it was to be overwritten."""
    write_weights(tmp_path / "a.npz", weights_of())
    data_set(tmp_path / "scan.npz")
    (tmp_path / "torn.pt").write_bytes(b"PK\x03\x04")
    (tmp_path / target).write_bytes(b"as it was")
    code, out, err = parity_command("transplant", str(tmp_path / source), str(tmp_path / target), "--force")
    assert code == cli.NOT_CHECKED
    assert err.startswith(f"parity: {tmp_path}/{message}")
    assert err.count("\n") == 1
    assert out == ""
    assert (tmp_path / target).read_bytes() == b"as it was"


def test_3_no_folder_to_write_to(parity_command: Parity, tmp_path: Path) -> None:
    write_weights(tmp_path / "a.npz", weights_of())
    code, out, err = parity_command("transplant", str(tmp_path / "a.npz"), str(tmp_path / "none" / "b.npz"))
    assert code == cli.NOT_CHECKED
    assert str(tmp_path / "none") in err
    assert out == ""


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_that_starting_tensorflow_prints_reaches_who_moves_weights(tmp_path: Path, fails: bool) -> None:
    source = tmp_path / "a.keras"
    write_weights(source, weights_of())
    if fails:
        source.write_bytes(source.read_bytes()[:300])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    command = (sys.executable, "-m", "parity", "transplant", str(source), str(tmp_path / "b.npz"))
    ended = subprocess.run(command, capture_output=True, text=True, env=clean, check=False)
    assert ended.returncode == (cli.NOT_CHECKED if fails else cli.AGREE)
    if fails:
        assert ended.stderr.startswith(f"parity: {source}: expected weights that Keras has written, got ")
        assert ended.stderr.count("\n") == 1
    else:
        assert ended.stderr == ""
