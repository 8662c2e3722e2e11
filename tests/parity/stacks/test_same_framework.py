"""Two stacks of one framework: told apart by their names, laid out alike, judged and reported each by itself."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity._ground.errors import UsageError
from parity.contracts.cases.case import forced
from parity.contracts.declared import REGISTRY
from parity.judging.examine import examine
from parity.judging.measurement import PAIR
from parity.judging.quantity import result_of
from parity.judging.run import ContractRun
from parity.judging.verdict import Outcome, judge
from parity.physics.precision import FLOAT64
from parity.report.content import Report
from parity.report.gathering import gather
from parity.report.html.page import page
from parity.report.markdown import summary
from parity.report.terminal import plain, verdict_table
from parity.runs.results import environment, read_results, write_results
from parity.stacks import MIRRORED, load_stacks
from parity.stacks.base import Framework, Stack
from tests.stored import asked

CONTRACT = REGISTRY["optics.illuminate"]
"""Its arrays have another layout in TensorFlow than in PyTorch."""


@pytest.fixture(params=MIRRORED)
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Framework, ...]]:
    """A stack of this repository, and one in a package of its own whose exit waves are a thousandth too large."""
    own = MIRRORED[request.param]
    package = tmp_path / f"mine_in_{own.framework}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "optics.py").write_text(
        f"from {own.package} import optics\n\n\n"
        "def illuminate(patches, probe):\n    return 1.001 * optics.illuminate(patches, probe)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield load_stacks((own, Stack("mine", own.framework, package.name)), "eager")
    for name in [name for name in sys.modules if name.split(".")[0] == package.name]:
        del sys.modules[name]
    importlib.invalidate_caches()


def held(stacks: tuple[Framework, ...]) -> ContractRun:
    found = [m for case in list(forced(CONTRACT))[:3] for m in examine(case, stacks, (FLOAT64,))]
    return ContractRun(judge(CONTRACT.name, found, CONTRACT.quota), tuple(found), 0.5)


def test_only_the_wrong_one_disagrees_and_every_report_says_so(pair: tuple[Framework, ...], tmp_path: Path) -> None:
    (right, mine), run = pair, held(pair)
    assert (right.stack.framework, right.name != mine.name) == (mine.stack.framework, True)
    assert {m.stack for m in run.measurements} == {right.name, "mine", PAIR}
    assert (run.verdict.outcome, run.verdict.sides) == (Outcome.DISAGREE, ("mine",))
    assert run.verdict.failures[0].quantity == result_of("exit_waves")
    assert run.verdict.worst[right.name] <= 1 < run.verdict.worst["mine"]

    (heading, row) = plain(verdict_table([run.verdict])).splitlines()[:2]
    assert heading.split()[2:4] == sorted([right.name, "mine"])
    assert row.rstrip().endswith("mine disagrees")

    report = gather(run, CONTRACT, pair)
    assert report.message.startswith(f"optics.illuminate: mine disagrees with the oracle ({right.name} agrees), case ")
    assert "\n  cause: mine: the result is 10⁻³ of itself too large\n" in report.message
    assert report.stages.startswith("mine: optics.illuminate is wrong: exit_waves")
    whole = Report("parity run", "parity run optics.illuminate", (report,), environment=environment(pair))
    for written in (summary(whole), page(whole)):
        assert "mine disagrees" in written
    assert whole.environment["mine"].startswith(f"{mine.stack.framework} ")

    path = tmp_path / "results.json"
    write_results(path, [run], whole.environment, asked([run]))
    assert judge(CONTRACT.name, read_results(path)[CONTRACT.name], CONTRACT.quota) == run.verdict


@pytest.mark.parametrize(
    ("stacks", "message"),
    [
        ((Stack("mine", "torch", "a"), Stack("mine", "tensorflow", "b")), "stacks: expected names that differ"),
        ((Stack("mine", "julia", "a"),), "unknown framework 'julia'; there are: jax, numpy, tensorflow, torch"),
    ],
)
def test_stacks_that_could_not_be_told_apart_or_run_are_refused(stacks: tuple[Stack, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_stacks(stacks)
    assert str(caught.value).startswith(message)


def test_no_stack_has_the_name_of_two() -> None:
    with pytest.raises(ValueError, match="expected another name than 'pair'"):
        Stack(PAIR, "torch", "ptycho_torch")
