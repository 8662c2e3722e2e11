"""Single examples by size: which are timed, that what is timed is the whole, and what is said of it."""

import pytest

from parity._ground.errors import UsageError
from parity.contracts.declared import REGISTRY
from parity.proof.bench import sizes, timing
from parity.proof.bench.sizes import Refused, Timed, check_sizes, sized, time_sizes
from parity.proof.bench.tables.sizes import sizes_table
from parity.proof.bench.timing import Pace, paced
from parity.report.terminal import plain
from parity.stacks import load

MAE = REGISTRY["losses.mae"]


@pytest.mark.parametrize("contract", REGISTRY.values(), ids=list(REGISTRY))
def test_every_contract_has_a_case_of_a_size(contract):
    case = sized(contract, 32)
    assert case is not None
    assert case.spec.frame == (32, 32)
    assert case.inputs()


def test_a_size_that_a_contract_does_not_take_is_left_out():
    network = REGISTRY["networks.autoencode@64"]
    assert sized(network, 9) is None
    check_sizes([MAE, network], (9, 16))
    said = r"^networks.autoencode@64: expected sizes that are multiples of 8, got 9, 10$"
    with pytest.raises(UsageError, match=said):
        check_sizes([MAE, network], (9, 10))


def test_both_the_call_and_the_harness_are_timed_at_each_size():
    advanced = []
    found = list(time_sizes([MAE], load(["torch"]), (8, 16), lambda: advanced.append(0)))
    what = ("losses.mae", "torch", "eager")
    assert [(t.contract, t.stack, t.mode, t.size) for t in found] == [(*what, 8), (*what, 16)]
    assert len(advanced) == 2
    assert all(seconds > 0 for t in found for seconds in (*t.bare.seconds, *t.harness.seconds))


def test_tracing_is_in_the_first_call_of_either(monkeypatch):
    from ptycho import losses

    right, traced, seen = losses.mae, [], []

    def look(predicted, observed):
        traced.append(0)
        return right(predicted, observed)

    def twice(call):
        call()
        seen.append(len(traced))
        call()
        seen.append(len(traced))

    monkeypatch.setattr(losses, "mae", look)
    monkeypatch.setattr(sizes, "paced", twice)
    list(time_sizes([MAE], load(["tensorflow"], "graph"), (8,)))
    assert seen == [2, 2, 4, 4]


def test_a_contract_that_a_mode_refuses_is_said_and_the_others_are_timed(monkeypatch):
    (framework,) = load(["torch"])
    right = type(framework).ready

    def ready(self, contract, *arguments):
        if contract is MAE:
            raise UsageError("losses.mae cannot be run")
        return right(self, contract, *arguments)

    monkeypatch.setattr(type(framework), "ready", ready)
    advanced = []
    found = list(time_sizes([MAE, REGISTRY["losses.absolute_error"]], [framework], (8, 9), lambda: advanced.append(0)))
    assert found[0] == Refused("losses.mae", "torch", "eager", "losses.mae cannot be run")
    assert [type(one) for one in found[1:]] == [Timed, Timed]
    assert len(advanced) == 4


def test_the_table_shows_each_number(timed):
    text = plain(sizes_table([timed], [Refused("losses.mae", "torch", "compiled", "losses.mae cannot be compiled")]))
    row = "losses.mae torch eager 64 333.3 1,000 33.33 2,000 10.0"
    assert row.split() in [line.split() for line in text.splitlines()]
    assert text.endswith("losses.mae cannot be compiled\n")


def test_the_first_call_is_told_apart():
    pace = Pace((9.0, 0.25, 0.5, 0.125))
    assert (pace.first, pace.steady, pace.per_second) == (9.0, 0.25, 4.0)


def test_a_quick_call_is_repeated_but_not_for_ever(monkeypatch):
    called = []
    assert len(paced(lambda: called.append(0)).seconds) == len(called) == timing.MOST_CALLS + 1
    monkeypatch.setattr(timing, "LEAST_SECONDS", 0.0)
    assert len(paced(lambda: None).seconds) == timing.LEAST_CALLS + 1
