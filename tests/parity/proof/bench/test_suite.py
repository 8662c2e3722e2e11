"""The benchmark: what it reports, not how fast anything is."""

import subprocess

import pytest

from parity.contracts.declared import REGISTRY
from parity.judging.truth import FACTS, JUDGING, SIMULATION
from parity.proof.bench import suite as benchmark
from parity.proof.bench.suite import BOUND, TOLERANCES, BenchReport, ContractBench, bench
from parity.proof.bench.tables.suite import suite_tables
from parity.report.terminal import plain
from parity.stacks import load

CONTRACT = REGISTRY["losses.mae"]
STRATA = len(CONTRACT.strata)


@pytest.fixture(autouse=True)
def _no_fresh_processes(monkeypatch):
    monkeypatch.setattr(benchmark, "_seconds_in_a_fresh_process", lambda statements: float(len(statements)))


def test_every_step_and_every_start_is_timed():
    report = bench([CONTRACT], load(), examples=1)
    (timed,) = report.contracts
    assert timed.examples == report.examples == STRATA + 1
    assert {SIMULATION, "torch", "tensorflow", FACTS, JUDGING} <= timed.seconds.keys()
    assert all(seconds > 0 for seconds in (*timed.seconds.values(), timed.bare))
    assert timed.anew > timed.bare  # TensorFlow's traces
    assert [what.count("import") for what in report.startup] == [1, 1, 1, 1]
    assert list(report.startup)[-1].endswith("first operation")


def test_correct_stacks_raise_no_alarm_by_the_bound_and_some_by_fixed_tolerances():
    (timed,) = bench([CONTRACT], load(), examples=0).contracts
    assert BOUND not in timed.false_alarms
    assert timed.false_alarms["np.testing.assert_allclose"] > 0


def test_a_gain_error_raises_every_alarm(monkeypatch):
    from ptycho_torch import losses

    correct = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: 1.01 * correct(predicted, observed) + 1.0)
    (timed,) = bench([CONTRACT], load(), examples=0).contracts
    assert timed.false_alarms == dict.fromkeys((*TOLERANCES, BOUND), STRATA)


def test_one_stack_alone_is_compared_with_nothing():
    report = bench([CONTRACT], load(["torch"]), examples=0)
    assert report.contracts[0].false_alarms == {}
    assert list(report.startup) == ["import torch"]


def test_the_tables_show_each_number_and_the_whole_and_the_floor_both_hold_the_slowest_start():
    seconds = {SIMULATION: 1.0, "torch": 2.0}
    timed = ContractBench("a.b", examples=4, seconds=seconds, bare=0.25, anew=0.5, false_alarms={BOUND: 3})
    text = plain(suite_tables(BenchReport((timed, timed), {"import torch": 1.5, "import torch, tensorflow": 4.0})))
    rows = [line.split() for line in text.splitlines()]
    assert rows.count(["a.b", "250.0", "500.0", "750.0", "62.5", "125.0"]) == 2
    assert ["import", "torch", "1.5"] in rows
    assert [*BOUND.split(), "6", "8"] in rows
    assert "10.0 s in all, 2.0 times the 5.0 s of start and bare calls, traces included" in text
    assert text.endswith("these are 4.5 s\n")


def test_a_start_that_fails_is_not_a_time(monkeypatch):
    monkeypatch.undo()
    assert benchmark._seconds_in_a_fresh_process("pass") >= 0
    with pytest.raises(subprocess.CalledProcessError):
        benchmark._seconds_in_a_fresh_process("import no_such_framework")
