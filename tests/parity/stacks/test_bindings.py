"""What a binding is given, and what it may return."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.stacks import worker
from parity.stacks.worker import Bindings, Question, Settings, TensorFlow


@pytest.fixture(scope="module")
def tensorflow() -> TensorFlow:
    return TensorFlow("foreign", "cpu")


def question(**given: Any) -> Question:
    """About a result of one number for each element of `x`."""
    return Question(
        contract="patches.pad",
        address="patches.pad",
        tensors={"x": np.ones(3)} | given,
        cotangents=[np.ones(3)],
        watched=["x"],
        scalars=list(given),
        constants={},
        mode="eager",
    )


def test_a_binding_of_tensorflow_gets_sizes_as_plain_numbers(
    tensorflow: TensorFlow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/__init__.py").write_text(
        "def pad(x, rows):\n    assert type(rows) is int\n    return x * rows\n"
    )
    (tmp_path / "bindings.py").write_text(
        "from parity_binding import binds\nimport foreign\n"
        "@binds('patches.pad')\ndef pad(x, rows):\n    return foreign.pad(x, rows)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "parity_binding", worker)
    monkeypatch.setattr(worker, "BINDINGS", {})
    bindings = Bindings(Settings("tensorflow", "foreign", [str(tmp_path)], bindings=str(tmp_path / "bindings.py")))
    asked = question(rows=np.array(5))
    (result,), (gradient,) = tensorflow.ready(bindings.of(asked), asked)()
    assert np.array_equal(result, [5, 5, 5])
    assert np.array_equal(gradient, [5, 5, 5])


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("no_such_tracker", '; if nothing bound uses it, `stubs = ["no_such_tracker"]` stands in for it'),
        ("foreign.no_such", ""),
    ],
)
def test_a_module_that_is_not_there_may_be_stubbed_if_it_is_not_the_package_s_own(
    module: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/__init__.py").write_text("")
    (tmp_path / "bindings.py").write_text(f"import {module}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "foreign", raising=False)
    with pytest.raises(ImportError) as caught:
        Bindings(Settings("numpy", "foreign", [str(tmp_path)], bindings=str(tmp_path / "bindings.py")))
    said = f"bindings.py, line 1: raised ModuleNotFoundError: No module named '{module}'"
    assert str(caught.value) == said + hint


def test_what_a_binding_of_tensorflow_returns_as_an_array_has_no_gradient(tensorflow: TensorFlow) -> None:
    (result,), gradients = tensorflow.ready(lambda x: 2 * x.numpy(), question())()
    assert np.array_equal(result, [2, 2, 2])
    assert gradients == [None]


def test_a_result_of_tensorflow_in_another_precision_comes_back_as_it_is(tensorflow: TensorFlow) -> None:
    import tensorflow as tf

    (result,), (gradient,) = tensorflow.ready(lambda x: tf.sqrt(tf.cast(x, tf.float32)), question())()
    assert result.dtype == np.float32
    assert np.array_equal(gradient, [0.5, 0.5, 0.5])


@pytest.mark.parametrize("name", ["sigma=0", "model.", "a b", "1"])
def test_a_name_that_no_report_can_tell_from_words_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BINDINGS", {})
    with pytest.raises(ValueError, match=r"losses\.mae: expected a name such as model\.MAELoss, got '"):
        worker.binds("losses.mae", name=name)(lambda: None)
    assert worker.BINDINGS == {}
