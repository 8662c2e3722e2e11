"""Every command that asks stacks, with each of them in a process of its own, as a user has it: a wrong one is found.

The worker processes take the stacks from a repository that is a copy of this one, whose PyTorch stack is wrong.
"""

import shutil
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from parity import cli
from parity._ground.codes import AGREE, DISAGREE
from parity._ground.environment import IN_PROCESS
from parity._ground.repository import ROOT
from parity.judging.divergences import Divergence, PositiveFactor, registry
from parity.judging.samplers import judge_samplers
from parity.stacks import MIRRORED

WRONG = """

right = mae


def mae(predicted, observed):
    return right(predicted, observed) * (1 + 1e-3)
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copied")
    for package in (*(stack.package for stack in MIRRORED.values()), "ptycho_exposures"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "parity").mkdir()
    (root / "parity" / "__init__.py").touch()
    with (root / "ptycho_torch" / "losses.py").open("a") as losses:
        losses.write(WRONG)
    with (root / "ptycho_torch" / "sampling.py").open("a") as sampling:
        sampling.write("\n\nright = sample_counts\n\n\ndef sample_counts(intensity, seed):\n")
        sampling.write("    return 2 * right(intensity / 2, seed)\n")
    return root


@pytest.fixture
def wrong_torch(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(IN_PROCESS, raising=False)
    monkeypatch.setattr("parity.stacks.remote.ROOT", copied)


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


FEW = ("--examples", "0", "--precision", "f64", "--mode", "eager")
CASE = ("--case", "even/0", "--precision", "f64", "--mode", "eager")
FROZEN = ("--fixtures", str(ROOT / "fixtures" / "golden"))


@pytest.mark.usefixtures("wrong_torch")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "losses.mae", *FEW), DISAGREE, "losses.mae: torch disagrees with the oracle (tensorflow agrees)"),
        (("run", "losses.poisson_nll", *FEW), AGREE, "1 contract agrees on "),
        (("explain", "losses.mae", *CASE), DISAGREE, "torch"),
        (("golden", "replay", "losses.mae", *FROZEN), DISAGREE, "torch disagrees with the oracle (tensorflow agrees)"),
        (("defects", "run", "losses.poisson_nll/both-unsquared", *FEW), AGREE, "tensorflow disagrees with the oracle"),
        (("trajectory", "--steps", "2", "--optimizer", "sgd", "--precision", "f64"), DISAGREE, "disagree"),
    ],
    ids=lambda given: " ".join(given[:2]) if isinstance(given, tuple) else None,
)
def test_a_command_asks_the_stacks_of_worker_processes(
    arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*arguments) == code
    assert said in capsys.readouterr().out


@pytest.mark.usefixtures("wrong_torch")
def test_samplers_are_asked_in_worker_processes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("parity.judging.samplers.judge_samplers", partial(judge_samplers, levels=[10.0], draws=10_000))
    assert ended("samplers") == DISAGREE
    assert "2 of 9 samplers are not Poisson's" in capsys.readouterr().out


@pytest.mark.usefixtures("wrong_torch")
def test_divergences_are_measured_in_worker_processes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted = Divergence("losses.mae", "torch", PositiveFactor(), 1.0009, 1.0011, "it is", date(2999, 12, 31))
    monkeypatch.setattr(registry, "accepted_by", lambda folder: (accepted,))
    assert ended("divergences", *FEW[:4]) == AGREE
    assert "PositiveFactor" in capsys.readouterr().out
