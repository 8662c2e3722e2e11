"""A change made in a stack: it is everywhere while the block lasts, and nowhere after it."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

import ptycho.losses as tensorflow_losses
import ptycho_torch.losses as torch_losses
from parity._ground.errors import UsageError
from parity.contracts.cases.case import Case, parse_case
from parity.contracts.changes import given, giving, raw, replaced, returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault, Rewrite
from parity.faults.injection import injected, replaced_in
from parity.physics.precision import FLOAT64
from parity.stacks import load
from parity.stacks.base import Framework
from ptycho import forward, networks, optics, patches, probe
from ptycho_torch import model
from ptycho_torch import training as torch_training

DOUBLED = Fault("losses.mae", "doubled", "is twice what it is", returning(lambda xp, mae, a: mae + mae))
FIVE = Fault("losses.mae", "five", "is 5", replaced(lambda xp, a: xp.constant(5.0, a.predicted)))
ROOT = Fault("losses.poisson_nll", "root", "observed enters unsquared", given(observed=lambda xp, x: xp.sqrt(x)))
LAYER = Fault("losses.poisson_nll", "layer", "as root", ROOT.change, at="model.poisson_nll", stacks=("torch",))
DARK = Fault(
    "optics.far_field_amplitude", "dark", "has no light", given(intensity=lambda xp, x: 0 * x), at="optics._sqrt"
)
LIBRARY = Fault("optics.far_field_amplitude", "unguarded", "", raw(lambda xp, right: tf.sqrt), at="optics._sqrt")


@pytest.fixture(scope="module")
def graph() -> tuple[Framework, ...]:
    """TensorFlow's stack as it runs by default: traced."""
    return load(("tensorflow",), mode="graph")


@pytest.fixture
def without_autoencoder() -> Iterator[None]:
    """A PyTorch stack one of whose modules has not been imported yet."""
    name = "ptycho_torch.autoencoder"
    found = sys.modules.pop(name, None)
    yield
    sys.modules.pop(name, None)
    if found:
        sys.modules[name] = found


def value_in(framework: Framework, contract: str, case: str = "even/0") -> float:
    """The sum of the first result, in float64."""
    chosen: Case = parse_case(REGISTRY[contract], case)
    found = framework.evaluate(chosen.contract, chosen.inputs(), FLOAT64)
    return float(np.sum(next(iter(found.values.values()))))


def observed_and_predicted(like: ModuleType) -> tuple[Any, Any]:
    array = np.arange(1.0, 17.0).reshape(1, 4, 4, 1)
    return (
        (tf.constant(array), tf.constant(array + 1))
        if like is tf
        else (torch.tensor(array).permute(0, 3, 1, 2), torch.tensor(array + 1).permute(0, 3, 1, 2))
    )


@pytest.mark.parametrize(
    ("stack", "losses", "like"), [("tensorflow", tensorflow_losses, tf), ("torch", torch_losses, torch)]
)
def test_a_defect_is_made_for_the_block_and_for_that_stack_alone(
    stack: str, losses: ModuleType, like: ModuleType
) -> None:
    pair, other = observed_and_predicted(like), {"tensorflow": torch_losses, "torch": tensorflow_losses}[stack].mae
    before, right = float(losses.mae(*pair)), losses.mae
    with injected(DOUBLED, stack):
        assert float(losses.mae(*pair)) == 2 * before
        assert {"tensorflow": torch_losses, "torch": tensorflow_losses}[stack].mae is other
    assert losses.mae is right


def test_it_reaches_modules_that_imported_the_name() -> None:
    pair = observed_and_predicted(torch)
    layer = model.PoissonLoss()
    before = float(layer(*pair))
    with injected(ROOT, "torch"):
        assert model.poisson_nll is torch_losses.poisson_nll
        assert float(layer(*pair)) != before
    assert float(layer(*pair)) == before


def test_it_reaches_what_calls_it_through_a_module_of_another_name() -> None:
    rows = Fault("patches.pad", "rolled", "", returning(lambda xp, r, a: xp.roll(r, 1, -1)))
    right = forward.views.pad
    with injected(rows, "tensorflow"):
        assert forward.views.pad is not right
        assert networks.patches.pad is forward.views.pad
    assert forward.views.pad is right


def test_it_reaches_compositions(stacks: tuple[Framework, ...]) -> None:
    for framework in stacks:
        before = value_in(framework, "forward.predict_amplitude")
        with injected(DARK, framework.name):
            assert value_in(framework, "forward.predict_amplitude") != before
        assert value_in(framework, "forward.predict_amplitude") == before


def test_an_import_alone_is_changed_where_the_address_is_one() -> None:
    pair = observed_and_predicted(torch)
    before = float(torch_losses.poisson_nll(*pair, full=False))
    with injected(LAYER, "torch"):
        assert float(torch_losses.poisson_nll(*pair, full=False)) == before
        assert model.poisson_nll is not torch_losses.poisson_nll
    assert model.poisson_nll is torch_losses.poisson_nll


def test_a_class_is_replaced_wherever_it_is_named() -> None:
    right = torch_training.Tensor, model.MAELoss
    worse = Fault("losses.absolute_error", "class", "", raw(lambda xp, r: type("Worse", (r,), {})), "model.MAELoss")
    with injected(worse, "torch"):
        assert model.MAELoss.__name__ == "Worse"
    assert (torch_training.Tensor, model.MAELoss) == right


def test_a_constant_is_replaced_in_its_own_module() -> None:
    right = patches._FLOOR
    floor = Fault("patches.reassemble_patches", "floor", "", raw(lambda xp, r: 2 * r), at="patches._FLOOR")
    with injected(floor, "tensorflow"):
        assert 2 * right == patches._FLOOR
    assert right == patches._FLOOR


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_defect_is_undone_whatever_happens_in_the_block(raised: type[BaseException]) -> None:
    right = torch_losses.mae, model.poisson_nll
    with pytest.raises(raised), injected(DOUBLED, "torch"), injected(LAYER, "torch"):
        raise raised
    assert (torch_losses.mae, model.poisson_nll) == right


def test_nothing_is_changed_where_the_wrong_function_cannot_be_made() -> None:
    right = torch_losses.mae

    def impossible(xp: Any, r: Any) -> Any:
        raise RuntimeError("cannot be made")

    with (
        pytest.raises(RuntimeError, match="cannot be made"),
        injected(Fault("losses.mae", "impossible", "", raw(impossible)), "torch"),
    ):
        pass
    assert torch_losses.mae is right


@pytest.mark.parametrize(("first", "second", "times"), [(DOUBLED, DOUBLED, 4), (FIVE, DOUBLED, None)])
def test_defects_can_be_made_one_around_the_other(first: Fault, second: Fault, times: int | None) -> None:
    pair, right = observed_and_predicted(torch), torch_losses.mae
    expected = 10.0 if times is None else times * float(right(*pair))
    with injected(first, "torch"):
        between = torch_losses.mae
        with injected(second, "torch"):
            assert float(torch_losses.mae(*pair)) == expected
            assert float(torch_losses.mae(predicted=pair[0], observed=pair[1])) == expected
        assert torch_losses.mae is between
    assert torch_losses.mae is right


def test_a_second_defect_of_a_function_reaches_its_importers_too() -> None:
    right = model.poisson_nll
    with injected(ROOT, "torch"), injected(ROOT, "torch"):
        assert model.poisson_nll is torch_losses.poisson_nll
    assert model.poisson_nll is torch_losses.poisson_nll is right


def test_a_trace_made_before_does_not_hide_a_defect_and_one_made_within_does_not_outlive_it(
    graph: tuple[Framework, ...],
) -> None:
    (framework,) = graph
    before = value_in(framework, "losses.mae")
    with injected(DOUBLED, "tensorflow"):
        assert value_in(framework, "losses.mae") == 2 * before
        with injected(FIVE, "tensorflow"):
            assert value_in(framework, "losses.mae") == 5.0
        assert value_in(framework, "losses.mae") == 2 * before
    with injected(FIVE, "tensorflow"):
        assert value_in(framework, "losses.mae") == 5.0
    assert value_in(framework, "losses.mae") == before


@pytest.mark.parametrize("contract", ["optics.far_field_amplitude", "forward.predict_amplitude"])
def test_no_trace_is_stale_where_the_defect_lies_deep_below_the_contract(
    contract: str, graph: tuple[Framework, ...]
) -> None:
    (framework,) = graph
    before = value_in(framework, contract)
    with injected(DARK, "tensorflow"):
        assert value_in(framework, contract) == 0
    assert value_in(framework, contract) == before


@pytest.mark.usefixtures("without_autoencoder")
def test_a_module_imported_within_the_block_is_clean_afterwards() -> None:
    right = importlib.import_module("ptycho_torch.networks").autoencode
    wrong = Fault("networks.autoencode@32", "wrong", "", returning(lambda xp, r, a: r))
    with injected(wrong, "torch"):
        imported = importlib.import_module("ptycho_torch.autoencoder")
        assert imported.autoencode is not right
    assert imported.autoencode is right


def test_a_library_s_function_in_a_stack_s_place_keeps_its_own_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "root", tf.sqrt, raising=False)
    right = optics._sqrt
    with injected(LIBRARY, "tensorflow"):
        assert float(optics._sqrt(tf.constant(4.0))) == 2
        monkeypatch.setattr(probe, "root_too", tf.sqrt, raising=False)
    assert probe.root is tf.sqrt
    assert probe.root_too is tf.sqrt
    assert optics._sqrt is right


def test_one_function_of_a_stack_in_place_of_another_leaves_that_other_alone() -> None:
    right, other = torch_losses.poisson_nll, torch_losses.absolute_error
    with replaced_in("ptycho_torch", "losses.poisson_nll", lambda _: torch_losses.absolute_error):
        assert model.absolute_error is other
        assert model.poisson_nll is not right
    assert (torch_losses.poisson_nll, model.poisson_nll) == (right, right)
    assert (torch_losses.absolute_error, model.absolute_error) == (other, other)


def test_a_wrong_function_has_the_name_and_signature_of_the_right_one() -> None:
    right = inspect.signature(torch_losses.mae)
    with injected(DOUBLED, "torch"):
        assert inspect.signature(torch_losses.mae) == right
        assert torch_losses.mae.__module__ == "ptycho_torch.losses"


def test_arguments_may_be_changed_together_and_in_canonical_layout(stacks: tuple[Framework, ...]) -> None:
    exchanged = Fault(
        "losses.mae", "exchanged", "", giving(lambda xp, a: {"predicted": a.observed, "observed": a.predicted})
    )
    shapes: list[tuple[int, ...]] = []

    def seen(xp: Any, x: Any) -> Any:
        shapes.append(tuple(x.shape))
        return x

    looked_at = Rewrite("losses.mae", "looked at", "", given(predicted=seen))
    for framework in stacks:
        with injected(exchanged, framework.name), injected(looked_at, framework.name):
            value_in(framework, "losses.mae", "odd/0")
    assert len(shapes) == len(stacks)
    assert shapes[0] == shapes[1] == parse_case(REGISTRY["losses.mae"], "odd/0").inputs()["predicted"].shape


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda: injected(LAYER, "tensorflow"), UsageError, "losses.poisson_nll/layer can be made in torch"),
        (lambda: injected(DOUBLED, "tensorflwo"), UsageError, "did you mean 'tensorflow'"),
        (
            lambda: injected(Fault("losses.mae", "n", "", DOUBLED.change, "losses.mea"), "torch"),
            LookupError,
            "expected file.name of something in ptycho_torch, got 'losses.mea'",
        ),
        (lambda: replaced_in("ptycho", "lossess.mae", abs), LookupError, "got 'lossess.mae'"),
        (lambda: replaced_in("ptycho", "mae", abs), LookupError, "got 'mae'"),
    ],
)
def test_what_cannot_be_changed_is_named(made: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message), made():
        pass
