"""The adapters: layouts, precision, gradients, traces; found when they are used, and silent when they start."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.typing import NDArray

from parity._ground.environment import TORCH_ONEDNN, TORCH_THREADS
from parity._ground.errors import UsageError
from parity.contracts.cases.case import Case
from parity.contracts.contract import Argument, Contract, Result
from parity.contracts.declared import REGISTRY
from parity.judging.expectation import bounded_gradients, bounded_values
from parity.judging.measurement import Label, measure_pair
from parity.judging.quantity import result_of
from parity.physics.kinds import FLAG, OBJECT
from parity.physics.precision import FLOAT32, FLOAT64, Precision
from parity.stacks import MIRRORED, load
from parity.stacks.base import Evaluation, Framework, FrameworkMissing, StackError, stack_at_work
from parity.stacks.worker import Torch, silenced
from ptycho import optics as tensorflow_optics
from ptycho_torch import optics as torch_optics

Function = Callable[..., Any]

MODULES = {"torch": torch_optics, "tensorflow": tensorflow_optics}
PROBED = Contract(
    "optics.probed",
    "a function made up for these tests",
    (Argument("patches", OBJECT, differentiable=True),),
    (Result("field", OBJECT),),
    (),
)


def random_field(shape: tuple[int, ...], seed: int = 0) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    return random.standard_normal(shape) + 1j * random.standard_normal(shape)


@pytest.fixture(params=["torch", "tensorflow graph", "tensorflow eager", "tensorflow xla"])
def framework(request: pytest.FixtureRequest) -> Framework:
    name, _, mode = request.param.partition(" ")
    return load([name], mode or None)[0]


@pytest.fixture
def probe_with(framework: Framework, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Evaluation]:
    """Give the stack a function under the name `optics.probed`, and evaluate it with the gradient of a cotangent."""

    def probe(
        function: Function,
        patches: NDArray[Any],
        cotangent: NDArray[Any] | None = None,
        contract: Contract = PROBED,
        precision: Precision = FLOAT64,
    ) -> Evaluation:
        monkeypatch.setattr(MODULES[framework.name], "probed", function, raising=False)
        cotangents = None if cotangent is None else {"field": cotangent}
        return framework.evaluate(contract, {"patches": patches}, precision, cotangents)

    return probe


Z, W = random_field((2, 3, 4, 5)), random_field((2, 3, 4, 5), seed=1)


@pytest.mark.parametrize(
    ("in_torch", "in_tensorflow", "gradient"),
    [
        (lambda patches: patches * patches, lambda patches: patches * patches, W * np.conj(2 * Z)),
        (lambda patches: patches.exp(), lambda patches: tf.exp(patches), W * np.conj(np.exp(Z))),
        (lambda patches: patches.conj(), lambda patches: tf.math.conj(patches), np.conj(W)),
        (lambda patches: patches.conj() * patches, lambda patches: tf.math.conj(patches) * patches, 2 * W.real * Z),
        (lambda patches: 1j * patches, lambda patches: 1j * patches, -1j * W),
    ],
    ids=["z²", "exp z", "conj z", "|z|²", "i·z"],
)
def test_a_complex_gradient_is_that_of_the_real_part_plus_i_times_that_of_the_imaginary(
    framework: Framework,
    probe_with: Callable[..., Evaluation],
    in_torch: Function,
    in_tensorflow: Function,
    gradient: NDArray[Any],
) -> None:
    """Of L = Re Σ conj(w)·f(z): ∂L/∂Re z + i·∂L/∂Im z, which is w·conj(f′(z)) where f is holomorphic."""
    found = probe_with(in_torch if framework.name == "torch" else in_tensorflow, Z, W)
    np.testing.assert_allclose(found.gradients["patches"], gradient, rtol=1e-12)


def test_the_stack_sees_its_own_layout_and_the_harness_the_canonical_one(
    framework: Framework, probe_with: Callable[..., Evaluation]
) -> None:
    seen: list[tuple[int, ...]] = []

    def look(patches: Any) -> Any:
        seen.append(tuple(patches.shape))
        return patches + 1

    found = probe_with(look, Z, W)
    expected = {"torch": (2, 3, 4, 5), "tensorflow": (2, 4, 5, 3)}[framework.name]
    assert seen[0] in (expected, (None, None, None, None))
    np.testing.assert_array_equal(found.values["field"], Z + 1)
    np.testing.assert_array_equal(found.gradients["patches"], W)


@pytest.mark.parametrize(("precision", "dtype"), [(FLOAT32, np.complex64), (FLOAT64, np.complex128)])
def test_arrays_are_rounded_to_the_precision(
    probe_with: Callable[..., Evaluation], precision: Precision, dtype: type
) -> None:
    found = probe_with(lambda patches: patches + 0, Z, W, precision=precision)
    for array, exact in ((found.values["field"], Z), (found.gradients["patches"], W)):
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, exact.astype(dtype))


def test_inputs_are_not_written_to(probe_with: Callable[..., Evaluation]) -> None:
    def write(patches: Any) -> Any:
        return patches.mul_(0) if isinstance(patches, torch.Tensor) and not patches.requires_grad else patches * 0

    given = Z.copy()
    probe_with(write, given)
    np.testing.assert_array_equal(given, Z)


def test_without_a_path_there_is_no_gradient(framework: Framework, probe_with: Callable[..., Evaluation]) -> None:
    found = probe_with(
        lambda patches: patches.detach() if framework.name == "torch" else tf.stop_gradient(patches), Z, W
    )
    assert found.gradients == {}
    assert "field" in found.values


def test_without_a_cotangent_no_gradient_is_asked_for(probe_with: Callable[..., Evaluation]) -> None:
    assert probe_with(lambda patches: patches * 2, Z).gradients == {}


def test_what_the_stack_raises_is_the_stack_s_error(probe_with: Callable[..., Evaluation]) -> None:
    def fail(patches: Any) -> Any:
        raise ValueError("patches: expected light, got none\nat length")

    with pytest.raises(StackError) as caught:
        probe_with(fail, Z)
    assert str(caught.value) == "raised ValueError: patches: expected light, got none"


def test_an_exit_is_the_stack_s_error_too(probe_with: Callable[..., Evaluation]) -> None:
    def leave(patches: Any) -> Any:
        sys.exit(0)

    with pytest.raises(StackError, match=r"^raised SystemExit: 0$"):
        probe_with(leave, Z)


class ResourceExhaustedError(Exception):
    """As TensorFlow's is named."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        ResourceExhaustedError("no room"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate no room"),
    ],
)
def test_a_lack_of_memory_is_no_error_of_the_stack(probe_with: Callable[..., Evaluation], error: Exception) -> None:
    def fail(patches: Any) -> Any:
        raise error

    with pytest.raises(MemoryError, match="no room"):
        probe_with(fail, Z)


def test_torch_says_when_it_has_no_memory() -> None:
    with pytest.raises(MemoryError), stack_at_work():
        torch.empty(1 << 60)


def test_a_result_too_many(probe_with: Callable[..., Evaluation]) -> None:
    with pytest.raises(StackError, match=r"^returned 2 results, expected 1$"):
        probe_with(lambda patches: (patches, patches), Z)


def test_a_result_of_another_rank_comes_back_as_it_is(probe_with: Callable[..., Evaluation]) -> None:
    found = probe_with(lambda patches: patches[0], Z, W)
    assert found.values["field"].ndim == 3
    assert found.gradients == {}


def test_a_result_of_another_size_comes_back_as_it_is_without_a_gradient(
    probe_with: Callable[..., Evaluation],
) -> None:
    found = probe_with(lambda patches: patches[:, :1] + 0, Z, W)
    assert found.values["field"].shape != Z.shape
    assert found.values["field"].ndim == Z.ndim
    assert dict(found.gradients) == {}


def test_a_function_that_the_stack_lacks(framework: Framework) -> None:
    with pytest.raises(StackError, match="probed"):
        framework.evaluate(PROBED, {"patches": Z}, FLOAT64)


SHAPES = [(1, 1, 4, 4), (2, 3, 4, 5), (3, 1, 9, 8)]


def test_a_graph_is_traced_once_for_all_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for the value, once with the gradient, once for each precision and flag; and anew for another function."""
    (graph,) = load(["tensorflow"], "graph")
    traced: list[tuple[Any, ...]] = []
    flagged = Contract(PROBED.name, "", (*PROBED.arguments, Argument("full", FLAG)), PROBED.results, ())

    def look(patches: Any, full: bool) -> Any:
        traced.append((patches.dtype.name, full, tuple(patches.shape)))
        return 2 * patches

    def evaluate(precision: Precision, full: bool, with_gradient: bool) -> None:
        for shape in SHAPES:
            field = random_field(shape)
            cotangents = {"field": field} if with_gradient else None
            found = graph.evaluate(flagged, {"patches": field, "full": np.array(full)}, precision, cotangents)
            assert found.values["field"].shape == shape

    monkeypatch.setattr(tensorflow_optics, "probed", look, raising=False)
    evaluate(FLOAT64, True, with_gradient=False)
    assert traced == [("complex128", True, (None, None, None, None))]
    evaluate(FLOAT64, True, with_gradient=True)
    evaluate(FLOAT32, True, with_gradient=True)
    evaluate(FLOAT32, False, with_gradient=True)
    assert len(traced) == 4
    evaluate(FLOAT32, False, with_gradient=True)
    assert len(traced) == 4

    monkeypatch.setattr(tensorflow_optics, "probed", lambda patches, full: 3 * patches)
    found = graph.evaluate(flagged, {"patches": Z, "full": np.array(True)}, FLOAT64)
    np.testing.assert_array_equal(found.values["field"], 3 * Z)


@pytest.fixture(scope="module")
def modes() -> tuple[Framework, Framework]:
    return load(["tensorflow"], "eager")[0], load(["tensorflow"], "graph")[0]


@pytest.mark.parametrize("contract", REGISTRY.values(), ids=list(REGISTRY))
def test_eager_and_graph_agree_within_the_bound(contract: Contract, modes: tuple[Framework, Framework]) -> None:
    case = Case(contract, contract.strata[0], 0)
    inputs = case.inputs()
    values = bounded_values(contract, inputs, FLOAT32)
    cotangents = case.cotangents({name: oracle.value for name, oracle in values.items()})
    gradients = bounded_gradients(contract, inputs, cotangents, FLOAT32)
    eager, graph = (mode.evaluate(contract, inputs, FLOAT32, cotangents if gradients else None) for mode in modes)
    label = Label(contract.name, case.name, FLOAT32.name, result_of("result"))
    for name, oracle in values.items():
        assert measure_pair(label, eager.values[name], graph.values[name], oracle).agrees
    for name, oracle in gradients.items():
        assert measure_pair(label, eager.gradients[name], graph.gradients[name], oracle).agrees


@pytest.mark.parametrize("name", MIRRORED)
def test_a_missing_framework_says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(FrameworkMissing) as caught:
        load([name])
    assert str(caught.value) == (
        f"{name} is not installed, so {MIRRORED[name].package} cannot be checked: "
        f"pip install 'ptycho-parity[{name}]', or check the other stack alone with --stack"
    )


@pytest.mark.parametrize("name", MIRRORED)
def test_a_stack_that_is_not_here_is_missing_and_not_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, found = MIRRORED[name].package, importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
    with pytest.raises(FrameworkMissing) as caught:
        load([name])
    said = (
        f"{package}, the stack in {name}, is not here: run this in the repository of the stacks, "
        "or declare your own code: parity init"
    )
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("names", "mode", "message"),
    [
        (["troch"], None, "unknown framework 'troch'; did you mean 'torch'?"),
        (["jax"], None, "unknown framework 'jax'; there are: tensorflow, torch"),
        (["torch"], "fast", "unknown mode 'fast'; there are: compiled, eager, graph, xla"),
        (["torch"], "eager,compiled", "mode: expected one for torch, got eager and compiled"),
    ],
)
def test_an_unknown_framework_or_mode(names: list[str], mode: str | None, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(names, mode)
    assert str(caught.value) == message


def test_a_mode_is_used_where_it_is_known() -> None:
    assert [(f.name, f.mode) for f in load()] == [("torch", "eager"), ("tensorflow", "graph")]
    assert [(f.name, f.mode) for f in load(mode="eager")] == [("torch", "eager"), ("tensorflow", "eager")]


def test_of_several_modes_each_framework_takes_its_own() -> None:
    expected = [("torch", "compiled"), ("tensorflow", "xla")]
    assert [(f.name, f.mode) for f in load(mode="xla,compiled")] == expected
    assert [f.description.split("(")[1].split(",")[0] for f in load(mode="xla,compiled")] == ["compiled", "xla"]
    assert load(["tensorflow"], "compiled")[0].mode == "graph"


def test_what_is_eager_for_its_costs_alone_is_compiled_by_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def look(patches: Any) -> Any:
        seen.append(tf.executing_eagerly())
        return 2 * patches

    monkeypatch.setattr(tensorflow_optics, "probed", look, raising=False)
    costly = replace(PROBED, eager=True)
    for mode in ("graph", "xla"):
        (framework,) = load(["tensorflow"], mode)
        np.testing.assert_array_equal(framework.evaluate(costly, {"patches": Z}, FLOAT64).values["field"], 2 * Z)
    assert seen == [True, False]


def test_what_xla_has_no_kernel_for_is_turned_away_and_neither_passes_nor_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (xla,) = load(["tensorflow"], "xla")
    in_python = lambda patches: tf.numpy_function(lambda array: array, [patches], patches.dtype)  # noqa: E731
    monkeypatch.setattr(tensorflow_optics, "probed", in_python, raising=False)
    with pytest.raises(UsageError) as caught:
        xla.evaluate(PROBED, {"patches": Z}, FLOAT64)
    assert str(caught.value) == (
        "optics.probed cannot be run in mode xla: XLA has no kernel for PyFunc; there are: eager, graph"
    )


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Framework]:
    """torch in mode compiled, without the time that it takes to write and compile C++."""
    monkeypatch.setattr(Torch, "compiler", "aot_eager")
    (framework,) = load(["torch"], "compiled")
    yield framework
    framework.forget()


def test_compiled_is_compiled_and_so_is_its_gradient(compiled: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def look(patches: Any) -> Any:
        seen.append(torch.compiler.is_compiling())
        return 2 * patches

    monkeypatch.setattr(torch_optics, "probed", look, raising=False)
    costly = replace(PROBED, eager=True)
    for contract in (PROBED, costly):
        found = compiled.evaluate(contract, {"patches": Z}, FLOAT64, {"field": W})
        np.testing.assert_array_equal(found.values["field"], 2 * Z)
        np.testing.assert_array_equal(found.gradients["patches"], 2 * W)
    assert set(seen) <= {True}


def test_what_a_compiled_function_calls_may_be_replaced(compiled: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_optics, "inner", lambda patches: 2 * patches, raising=False)
    monkeypatch.setattr(torch_optics, "probed", lambda patches: torch_optics.inner(patches), raising=False)
    for factor in (2, 3):
        monkeypatch.setattr(torch_optics, "inner", (lambda by: lambda patches: by * patches)(factor))
        found = compiled.evaluate(PROBED, {"patches": Z}, FLOAT64)
        np.testing.assert_array_equal(found.values["field"], factor * Z)


def test_what_torch_cannot_compile_is_turned_away(compiled: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_python(patches: Any) -> Any:
        torch._dynamo.graph_break()
        return 2 * patches

    monkeypatch.setattr(torch_optics, "probed", in_python, raising=False)
    with pytest.raises(
        UsageError, match=r"^optics.probed cannot be run in mode compiled: torch.compile says '\S.*eager$"
    ):
        compiled.evaluate(PROBED, {"patches": Z}, FLOAT64)


def test_what_a_compiled_stack_raises_is_its_own_error(compiled: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(patches: Any) -> Any:
        raise ValueError("patches: expected light, got none")

    monkeypatch.setattr(torch_optics, "probed", fail, raising=False)
    with pytest.raises(StackError, match=r"^raised ValueError: patches: expected light, got none$"):
        compiled.evaluate(PROBED, {"patches": Z}, FLOAT64)


def test_without_a_cpp_compiler_nothing_is_checked(compiled: Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(function: Function, **options: Any) -> Function:
        def call(**tensors: Any) -> Any:
            raise torch._dynamo.exc.BackendCompilerFailed(
                "inductor", RuntimeError("No working C++ compiler found"), None
            )

        return call

    monkeypatch.setattr(torch, "compile", refuse)
    monkeypatch.setattr(torch_optics, "probed", lambda patches: patches, raising=False)
    with pytest.raises(FrameworkMissing, match="torch finds no C"):
        compiled.evaluate(PROBED, {"patches": Z}, FLOAT64)


def test_forgotten_traces_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    (graph,) = load(["tensorflow"], "graph")
    traced: list[str] = []
    monkeypatch.setattr(tensorflow_optics, "probed", lambda patches: traced.append("") or 2 * patches, raising=False)
    for _ in range(2):
        graph.evaluate(PROBED, {"patches": Z}, FLOAT64)
        assert len(traced) == 1
    graph.forget()
    graph.evaluate(PROBED, {"patches": Z}, FLOAT64)
    assert len(traced) == 2


def in_a_process_of_its_own(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python, in an environment that says of the frameworks what is given and nothing else."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", TORCH_THREADS))}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env={**clean, **environment}, check=False
    )


EXECUTION = """
from parity.stacks import load
(framework,) = load(["torch"])
import torch
print(framework.threads, torch.backends.mkldnn.enabled)
"""


@pytest.mark.parametrize(
    ("environment", "execution"),
    [({}, "1 True"), ({TORCH_THREADS: "2"}, "2 True"), ({TORCH_ONEDNN: "0"}, "1 False")],
    ids=["nothing said", "threads", "no oneDNN"],
)
def test_torch_has_one_thread_and_onednn_where_the_environment_does_not_say_otherwise(
    environment: dict[str, str], execution: str
) -> None:
    ended = in_a_process_of_its_own("-c", EXECUTION, **environment)
    assert ended.stdout.strip() == execution, ended.stderr


IMPORTED = """
import sys
from parity import cli
try:
    cli.main(sys.argv[1:])
except SystemExit as ended:
    assert ended.code == 0, ended.code
loaded = {"tensorflow", "torch", "keras"} & set(sys.modules)
assert not loaded, loaded
"""


@pytest.mark.parametrize("arguments", [["contracts", "list"], ["contracts", "show", "losses.mae"], ["run", "--help"]])
def test_what_needs_no_framework_imports_none(arguments: list[str]) -> None:
    ended = in_a_process_of_its_own("-c", IMPORTED, *arguments)
    assert ended.returncode == 0, ended.stderr


def test_nothing_that_starting_tensorflow_prints_reaches_the_user() -> None:
    ended = in_a_process_of_its_own("-m", "parity", "run", "losses.mae", "--examples", "0")
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert "1 contract agrees" in ended.stdout


def test_silence_ends_with_its_block(capfd: pytest.CaptureFixture[str]) -> None:
    with silenced():
        os.write(2, b"start-up chatter")
    os.write(2, b"a warning")
    assert capfd.readouterr().err == "a warning"


def fail_to_start() -> None:
    with silenced():
        os.write(2, b"no such library")
        raise ImportError


def test_what_was_held_back_is_printed_if_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError):
        fail_to_start()
    assert capfd.readouterr().err == "no such library"
