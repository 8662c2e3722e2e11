"""What is gathered of a contract that fails: message and cause, stages, error maps, and what is missing of these."""

import importlib.util
import pickle
from collections.abc import Iterator
from dataclasses import replace

import pytest

from parity.contracts.cases.case import Coordinates
from parity.contracts.declared import REGISTRY
from parity.faults import CATALOGUE
from parity.faults.injection import injected
from parity.judging.quantity import law_of
from parity.judging.run import ContractRun, Plan, run
from parity.physics.precision import FLOAT64
from parity.report import gathering
from parity.report.content import ContractReport
from parity.report.gathering import MOST_PICTURES, gather
from parity.stacks.base import Framework

Stacks = tuple[Framework, ...]

ILLUMINATE, PREDICTION = REGISTRY["optics.illuminate"], REGISTRY["forward.predict_amplitude"]
WRONG = CATALOGUE["optics.illuminate/probe-conjugated"]


@pytest.fixture
def wrong() -> Iterator[None]:
    """A PyTorch stack that takes the conjugate of the probe."""
    with injected(WRONG, "torch"):
        yield


def held(stacks: Stacks, name: str = "optics.illuminate", case: str = "single/0") -> ContractRun:
    (found,) = run(Plan((REGISTRY[name],), precisions=(FLOAT64,), case=case), stacks)
    return found


def test_what_agrees_needs_no_words(stacks: Stacks) -> None:
    found = gather(held(stacks), ILLUMINATE, stacks)
    assert found.equation == ILLUMINATE.equation
    assert found.coordinates == {"single/0": Coordinates(8)}
    assert (found.message, found.stages, found.pictures, found.not_shown) == ("", "", (), "")


def test_a_failure_is_explained_taken_apart_and_drawn(stacks: Stacks, wrong: None) -> None:
    found = gather(held(stacks), ILLUMINATE, stacks, options=("--precision", "f64"))
    assert found.message.startswith("optics.illuminate: torch disagrees with the oracle (tensorflow agrees), case ")
    assert "\n  cause: torch: conjugate of probe\n" in found.message
    assert "\n  reproduce: parity run optics.illuminate --case single/0 --precision f64\n" in found.message
    assert found.stages.startswith("torch: optics.illuminate is wrong: exit_waves, ")
    assert "float64: the mathematics differs" in found.stages
    assert [picture.caption.partition(";")[0] for picture in found.pictures] == [
        f"optics.illuminate: {name}" for name in ("exit_waves", "∂/∂patches", "∂/∂probe")
    ]
    assert all(picture.png.startswith(b"\x89PNG") for picture in found.pictures)
    assert pickle.loads(pickle.dumps(found)) == found


def test_of_a_composition_what_is_wrong_in_itself_is_drawn_first(
    stacks: Stacks, wrong: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_PICTURES", 1)
    found = gather(held(stacks, PREDICTION.name, "unconstrained/0"), PREDICTION, stacks)
    assert "first divergence" in found.stages
    assert [picture.caption.partition(";")[0] for picture in found.pictures] == [
        "forward.predict_amplitude: exit_waves, wrong in itself"
    ]
    assert found.not_shown.endswith(" error maps more: parity explain --report DIR draws all")
    assert MOST_PICTURES > 1


def test_not_in_depth_there_is_the_message_alone(stacks: Stacks, wrong: None) -> None:
    found = gather(held(stacks), ILLUMINATE, stacks, in_depth=False)
    assert "cause: torch: conjugate of probe" in found.message
    assert (found.stages, found.pictures, found.not_shown) == ("", (), "")


def test_without_matplotlib_it_says_so(stacks: Stacks, wrong: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name))
    gathered = gather(held(stacks), ILLUMINATE, stacks)
    assert gathered.stages
    assert gathered.pictures == ()
    assert gathered.not_shown == (
        "3 error maps not drawn: matplotlib is not installed: pip install 'ptycho-parity[report]'"
    )


def test_what_is_off_outside_the_function_is_named(stacks: Stacks) -> None:
    failing = fact_of(gather_run := held(stacks))
    assert gather(failing, ILLUMINATE, stacks).not_shown == (
        "the function itself agrees in this case; what is off is a law"
    )
    assert gather_run.verdict.agrees


def fact_of(found: ContractRun) -> ContractRun:
    """The run, if a law did not hold in it."""
    first = replace(found.measurements[0], quantity=law_of("a law"), ratio=2.0)
    return replace(found, verdict=replace(found.verdict, outcome="disagree", sides=("torch",), failures=(first,)))


def test_a_verdict_stands_whatever_becomes_of_its_explanation(
    stacks: Stacks, wrong: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*arguments: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(gathering, "trees_of", raises)
    found: ContractReport = gather(held(stacks), ILLUMINATE, stacks)
    assert found.message
    assert found.not_shown == "taking it apart raised MemoryError: no room"
