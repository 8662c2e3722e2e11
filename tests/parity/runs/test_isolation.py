"""Contracts in processes of their own: the same numbers as in one, and what kills one of them kills no other.

What goes wrong in a process goes wrong in the sources that it finds: a repository laid over the real one, with a torch
stack of its own.
"""

import os
import shutil
from pathlib import Path

import pytest

import parity
import ptycho_torch
from parity import cli
from parity.contracts.declared import REGISTRY
from parity.judging.run import NotChecked, Plan
from parity.judging.shards import Shard
from parity.physics.precision import FLOAT64
from parity.report.content import ContractReport
from parity.runs.isolation import Circumstances, Outcomes, hold, hold_side_by_side
from parity.runs.results import read_stored
from parity.stacks.base import Framework, FrameworkMissing
from parity.stacks.remote import Remote

BOTH = Circumstances(("torch", "tensorflow"), mode="eager")
TORCH = Circumstances(("torch",))
REAL, HARNESS = (Path(package.__file__).parent for package in (ptycho_torch, parity))

OVERLAY = """
import os, signal, time
real = {real!r}
exec(compile(open(real).read(), real, "exec"))

def mae(predicted, observed):
    os.kill(os.getpid(), signal.SIGKILL)

def complex_mae(patches, target):
    time.sleep(600)

def absolute_error(predicted, observed):
    bytearray(1 << 62)

tv = total_variation

def total_variation(patches):
    return 2 * tv(patches)
"""


@pytest.fixture
def deadly_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch stack, for processes that are yet to start, some of whose losses end them.

    The harness takes the stacks of the repository that it lies in: this is one, with all else of the real one.
    """
    for real in (REAL, HARNESS):
        package = tmp_path / real.name
        package.mkdir()
        (package / "__init__.py").write_text(f"__path__.append({str(real)!r})\n")
    shutil.copytree(HARNESS / "_ground", tmp_path / "parity" / "_ground")
    shutil.copytree(HARNESS.parent / "ptycho_exposures", tmp_path / "ptycho_exposures")
    shutil.copy(HARNESS.parent / "pyproject.toml", tmp_path)
    (tmp_path / "ptycho_torch" / "losses.py").write_text(OVERLAY.format(real=str(REAL / "losses.py")))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def names(outcomes: Outcomes) -> list[str]:
    return [one.contract if isinstance(one, NotChecked) else one.run.verdict.contract for one in outcomes.found]


@pytest.mark.parametrize(("circumstances", "shard"), [(BOTH, None), (TORCH, Shard(1, 2))])
def test_the_same_to_the_last_bit_in_the_order_of_the_plan(
    stacks: tuple[Framework, ...], circumstances: Circumstances, shard: Shard | None
) -> None:
    contracts = ("optics.combine_complex", "losses.mae", "scaling.count_photons")
    plan = Plan(tuple(REGISTRY[name] for name in contracts), examples=1, shard=shard)
    told: list[None] = []
    here = hold(plan, [stack for stack in stacks if stack.name in circumstances.stacks])
    with circumstances.engaged() as engaged:
        assert all(isinstance(stack, Remote) for stack in engaged)
        beside = hold(plan, engaged)
    side_by_side = hold_side_by_side(plan, circumstances, jobs=2, advance=lambda: told.append(None))
    for isolated in (beside, side_by_side):
        assert names(isolated) == names(here) == list(contracts)
        for one, other in zip(isolated.found, here.found, strict=True):
            assert isinstance(one, ContractReport)
            assert isinstance(other, ContractReport)
            assert repr(one.run.measurements) == repr(other.run.measurements)
            assert one.run.verdict == other.run.verdict
        assert isolated.descriptions == here.descriptions
    assert len(told) == len(contracts)


def test_what_ends_a_process_ends_no_other_contract(
    deadly_torch: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        "losses.mae",
        "losses.complex_mae",
        "losses.absolute_error",
        "losses.total_variation",
        "losses.poisson_nll",
    ]
    arguments = ["--stack", "torch", "--precision", "f64", "--examples", "0", "--report", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", *asked, *arguments, "--jobs", "2", "--limit", "20"])
    assert ended.value.code == cli.NOT_CHECKED
    lost = {
        "losses.mae": "torch's process was killed (SIGKILL; out of memory?)",
        "losses.complex_mae": "torch took longer than the limit of 20 s",
        "losses.absolute_error": "ran out of memory",
    }
    out = capsys.readouterr().out
    for contract, reason in lost.items():
        assert f"{contract}: not checked: {reason}\n" in out
    assert "losses.total_variation: torch disagrees with the oracle, case " in out
    assert "cause: torch: " in out
    assert "1 of 2 contracts do not agree: losses.total_variation; 3 of 5 contracts not checked: " in out
    stored = read_stored(tmp_path / cli.RESULTS)
    assert stored.not_checked == lost
    assert list(stored.measurements) == ["losses.total_variation", "losses.poisson_nll"]


def test_a_process_that_finds_no_framework_checks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: cannot open shared object file')\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    said = "torch is installed but cannot be imported: ImportError: libtorch.so: cannot open shared object file"
    with TORCH.engaged() as stacks, pytest.raises(FrameworkMissing, match=said):
        hold(Plan((REGISTRY["losses.mae"],), examples=0, precisions=(FLOAT64,)), stacks)
