"""The far side of a stack: a process that has the stack and its framework, and nothing of the harness.

    python worker.py SETTINGS

The process needs Python 3.9, NumPy and the framework. It reads questions from its standard input and writes answers to
what was its standard output; whatever the stack prints goes to standard error. SETTINGS are those of `Settings`, as
JSON. A message is a JSON header of one line, which lists name, dtype and shape of the arrays, and then their bytes.

The harness imports this file too: it runs the engines below in its own process if it is asked to, and names the
exceptions of a stack by the classes that stand here.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import json
import logging
import os
import re
import sys
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any
Arrays = Mapping[str, Array]
Results = tuple[Sequence[Any], Sequence[Any]]
"""Results and gradients, a framework's own tensors; a gradient without a path is None."""

Call = Callable[[], Results]

INJECTED = "__injected__"
"""An attribute of a stack's package that is another object while something in the stack is replaced, and None or absent
otherwise. What an engine keeps of a stack's functions, such as traces, is good for one value of it."""

RAISED = "raised "
"""How a StackError begins that says what a stack raised."""

LONGEST = 1000
"""Letters of what an error says that are told."""

OUT_OF_MEMORY = ("OutOfMemoryError", "ResourceExhaustedError")
"""What the frameworks call it; on a CPU, torch raises a RuntimeError that says "can't allocate memory"."""


BINDINGS: dict[tuple[str, str], Binding] = {}
"""What the file of the bindings has declared, by contract and name."""


class Binding(NamedTuple):
    """How a stack does what a contract says; no gradient is asked with respect to the arguments `unasked`.

    `conventions` are those that it states, by name, as plain data: the harness reads them.
    """

    function: Callable[..., Any]
    unasked: tuple[str, ...]
    conventions: dict[str, Any]


def binds(
    contract: str,
    *,
    name: str = "",
    unasked: Sequence[str] = (),
    intensity: Sequence[str] = (),
    epsilon: Mapping[str, float] | None = None,
    reduction: str = "",
    dropped: str = "",
    unit: Mapping[str, float] | None = None,
    corner: Sequence[str] = (),
    row_column: Sequence[str] = (),
    negated: Sequence[str] = (),
    edge: str = "",
) -> Callable[[Callable[..., Any]], Any]:
    """Declare that the decorated function does, by calling the stack, what a contract says.

    It is called with the arguments of the contract by their names: tensors of the framework, in its layout; sizes and
    flags are plain. It returns a tensor, or a tuple of as many as the contract has results. A further function of the
    stack that does the same is bound under a `name` of its own. No gradient is asked with respect to `unasked`.

    The other arguments are conventions, in which the stack says the same in other terms; the function is given, and is
    expected to return, what it is then. Of the arguments and results by name: those in `intensity` are squares of
    amplitudes; `epsilon` has a small number for each place where one is added, such as "intensity of predicted"; `unit`
    has what a length is multiplied by; those in `corner` have their middle in the corner, those in `row_column` are
    [row, column], and those in `negated` have the other sign. `reduction` is "sum" or "mean", alone or before axes such
    as "sum CHW"; `dropped` names a term that is left out, and `edge` what is outside a frame: "repeat" or "periodic".

    Raises ValueError for a second function of the same contract and name, and for a name that is none in Python.
    """
    if name and not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"{contract}: expected a name such as model.MAELoss, got '{name}'")

    conventions: dict[str, Any] = {
        "intensity": intensity,
        "epsilon": epsilon,
        "reduction": reduction,
        "dropped": dropped,
        "unit": unit,
        "corner": corner,
        "row_column": row_column,
        "negated": negated,
        "edge": edge,
    }
    stated = json.loads(json.dumps({key: value for key, value in conventions.items() if value}))

    def keep(function: Callable[..., Any]) -> Callable[..., Any]:
        if (contract, name) in BINDINGS:
            raise ValueError(f"{contract}: expected one binding{f' named {name}' if name else ''}, got a second")
        BINDINGS[contract, name] = Binding(function, tuple(unasked), stated)
        return function

    return keep


CLOSED = 74
"""The exit code of a worker whose stack has closed its pipes: EX_IOERR."""


class StackError(Exception):
    """What a stack raised, or why what it returned is no result: its own fault, never the harness's."""


class Outside(Exception):  # it is no error
    """Raised by a binding: the stack does not claim to do this. It was not asked, and it did not pass."""


class CannotRun(Exception):
    """A contract cannot be run in a mode, which says nothing of the stack."""


class Missing(Exception):
    """Something that the framework needs is not installed."""


class Unreadable(Exception):
    """A source that the stack imports is no Python, so that nothing can be said of it."""


class BindingError(Exception):
    """A binding itself is wrong, whatever the stack does."""


def first_line(error: BaseException) -> str:
    """What an error says, in a line, without anything that a terminal would obey."""
    try:
        said = next(iter(str(error).splitlines()), "").strip()
    except BaseException:  # even that is the stack's
        return "it cannot say what"
    line = said[:LONGEST]
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in line)


def raised(error: BaseException) -> str:
    """How a StackError says what a stack raised."""
    return ": ".join(filter(None, (f"{RAISED}{type(error).__name__}", first_line(error))))


@contextlib.contextmanager
def stack_at_work() -> Iterator[None]:
    """Blame whatever is raised in the block on the stack: an exit, too, which would end the check with its own code.

    Not a lack of memory: that is no wrong mathematics, and becomes a MemoryError, so that nothing is judged.
    """
    try:
        yield
    except (StackError, Outside, BindingError, CannotRun, Missing, Unreadable, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if is_out_of_memory(error):
            raise MemoryError(first_line(error)) from error
        if isinstance(error, SyntaxError) and (said := unreadable(error)):
            raise Unreadable(said) from error
        raise StackError(raised(error)) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a framework ran out of memory."""
    named = isinstance(error, MemoryError) or type(error).__name__ in OUT_OF_MEMORY
    return named or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))


def unreadable(error: SyntaxError) -> str:
    """File, line, and what is wrong there; "" where nothing that was to be imported has raised it."""
    named = re.search(r"'([^']+[.]py)'", str(error))  # where it is the encoding that Python cannot tell
    file = error.filename or (named and named[1]) or ("null bytes" in str(error) and next(_with_null_bytes(), None))
    if not file or not os.path.isfile(file):
        return ""
    return f"{file}{f', line {error.lineno}' if error.lineno else ''}: {error.msg}"


def _with_null_bytes() -> Iterator[str]:
    """The sources beside what is imported, of no library, of which Python does not say that they have such bytes."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if os.path.basename(file) == "__init__.py" and "site-packages" not in file:
            for name in sorted(os.listdir(os.path.dirname(file))):
                path = os.path.join(os.path.dirname(file), name)
                if name.endswith(".py") and os.path.isfile(path):
                    with open(path, "rb") as source:
                        if b"\0" in source.read():
                            yield path


def not_importable(framework: str, error: BaseException) -> str:
    """That a framework is there and cannot be imported, as with a broken driver."""
    return f"{framework} is installed but cannot be imported: " + ": ".join(
        filter(None, (type(error).__name__, first_line(error)))
    )


class Question(NamedTuple):
    """A contract's function on arrays, in the layout of the framework.

    `address` is `module.function` in the stack's package. `entry` is another entry of the contract, by which the
    function is called instead: its number among those declared, or the name of a binding. `tensors` are the arguments
    in their order; those of them that are `scalars`, such as sizes, have no gradient; `constants` are part of the code.
    Gradients are asked for where there are `cotangents`, of the arguments that are `watched`. What is `eager` is not
    traced; `costly` is what is eager for its costs alone, and compiled in a mode that compiles. What is `widened` is a
    question to a process whose sources are. No gradient of an argument that is `unasked` is looked at.
    """

    contract: str
    address: str
    tensors: dict[str, Array]
    cotangents: list[Array]
    watched: list[str]
    scalars: list[str]
    constants: dict[str, Any]
    mode: str
    eager: bool = False
    costly: bool = False
    entry: int | str | None = None
    widened: bool = False
    unasked: Sequence[str] = ()

    def header(self) -> dict[str, Any]:
        """All but the arrays, for JSON."""
        return {**self._asdict(), "tensors": list(self.tensors), "cotangents": len(self.cotangents)}

    def arrays(self) -> dict[str, Array]:
        """The arrays by a name of their own."""
        given = {f"tensor:{name}": array for name, array in self.tensors.items()}
        return {**given, **{f"cotangent:{i}": array for i, array in enumerate(self.cotangents)}}

    @classmethod
    def read(cls, header: Mapping[str, Any], arrays: Arrays) -> Question:
        """What `header` and `arrays` were made of."""
        return cls(
            **{
                **{name: header[name] for name in cls._fields},
                "tensors": {name: arrays[f"tensor:{name}"] for name in header["tensors"]},
                "cotangents": [arrays[f"cotangent:{i}"] for i in range(header["cotangents"])],
            }
        )


class Torch:
    """Runs functions of PyTorch. One intra-op thread, unless the user says otherwise: faster at these sizes, and sums
    keep their order.

    In mode compiled a function is compiled whole, forwards and backwards, with its dimensions open where they can be:
    torch compiles it anew for an axis of length 1, and wherever else it has guarded a size, which takes longer than any
    example. What is costly is compiled too; an entry that makes variables stays eager.
    """

    modes = ("eager", "compiled")
    compiler = "inductor"

    no_compiler = ("InvalidCxxCompiler", "No working C++ compiler")
    """How Inductor says that it lacks a C++ compiler, for which it writes its code."""

    most_compilations = 2**12
    """Of one function: torch would give up after 8, and there is one for each precision, flag, and axis of length 1."""

    slow = "Torchinductor does not support code generation for complex operators"
    """A warning about speed, not about numbers: complex operations are called, not fused."""

    def __init__(self, package: str, device: str, threads: int = 1, onednn: bool = True) -> None:
        import torch

        torch.set_num_threads(threads)
        if not onednn:
            torch.backends.mkldnn.enabled = False  # type: ignore[assignment]  # typed as what holds it
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        self._torch = torch
        self._device = device
        self.threads = str(torch.get_num_threads())
        self.gpus = torch.cuda.device_count()
        if device == "cuda" and self.gpus:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
        self._compiled: dict[Callable[..., Any], Callable[..., Any]] = {}
        self._may_compile = False

    @property
    def version(self) -> str:
        return str(self._torch.__version__)

    def forget(self) -> None:
        """Drop what was compiled, so that the next call compiles as the first did."""
        if self._compiled:
            self._compiled.clear()
            self._torch.compiler.reset()

    def ready(self, function: Callable[..., Any], question: Question) -> Call:
        """The call of a function on tensors that are ready."""
        tensors = {
            name: array.item() if name in question.scalars else self._tensor(array)
            for name, array in question.tensors.items()
        }
        pulled = [self._tensor(cotangent) for cotangent in question.cotangents]
        watched = [tensors[name].requires_grad_(True) for name in question.watched if pulled]
        arguments = {**tensors, **question.constants}

        def call(run: Callable[..., Any] = function) -> Results:
            with stack_at_work():
                returned = run(**arguments)
                results = returned if isinstance(returned, tuple) else (returned,)
                return results, self._pulled_back(results, watched, pulled)

        def call_compiled() -> Results:
            with warnings.catch_warnings(), self._compilable(question.contract, call):
                warnings.filterwarnings("ignore", self.slow, UserWarning)
                return call(self._compiled_whole(function))

        eagerly = question.mode == "eager" or (question.eager and not question.costly)
        return call if eagerly else call_compiled

    def _compiled_whole(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function compiled, once for all contracts that have it; torch itself sees whatever it calls change."""
        self._prepare_compilation()
        if function not in self._compiled:
            self._compiled[function] = self._torch.compile(
                function, dynamic=True, fullgraph=True, backend=self.compiler
            )
        return self._compiled[function]

    def _prepare_compilation(self) -> None:
        """Let torch compile as often as it must, and keep its notes on the way from the user, who may ask for them."""
        if self._may_compile:
            return
        self._may_compile = True
        config: Any = self._torch._dynamo.config
        config.recompile_limit = config.accumulated_recompile_limit = self.most_compilations
        logs: Any = self._torch._logging
        if "TORCH_LOGS" not in os.environ:
            logs.set_logs(all=logging.ERROR)

    @contextlib.contextmanager
    def _compilable(self, contract: str, eagerly: Call) -> Iterator[None]:
        """Turn away a contract that torch cannot compile: that is no fault of the stack's, nor a pass.

        What the stack raises reaches torch as something that it cannot compile: whether it was that, an eager call
        says.
        """
        try:
            yield
        except StackError as error:
            cause = error.__cause__
            from torch._dynamo.exc import TorchDynamoException

            if not isinstance(cause, TorchDynamoException):
                raise
            if any(words in str(cause) for words in self.no_compiler):
                raise Missing(
                    "torch finds no C++ compiler, so nothing can be run in mode compiled: install g++, or name one in "
                    "CXX, or run with --mode eager"
                ) from error
            eagerly()
            raise CannotRun(
                f"{contract} cannot be run in mode compiled: torch.compile says '{first_line(cause)}'; there are: eager"
            ) from error

    def _pulled_back(self, results: Sequence[Any], watched: Sequence[Any], cotangents: Sequence[Any]) -> Sequence[Any]:
        pairs = [
            (result, cotangent)
            for result, cotangent in zip(results, cotangents)
            if isinstance(result, self._torch.Tensor) and result.requires_grad and result.shape == cotangent.shape
        ]
        if not pairs:
            return [None] * len(watched)
        outputs, weights = zip(*pairs)
        gradients: Sequence[Any] = self._torch.autograd.grad(outputs, watched, weights, allow_unused=True)
        return gradients

    def _tensor(self, array: Array) -> Any:
        return self._torch.from_numpy(np.array(array)).to(self._device)

    def array(self, tensor: Any) -> Array:
        """As NumPy's, which knows no lazy conjugates and no lazy signs; a size comes as a plain number."""
        if not isinstance(tensor, self._torch.Tensor):
            return np.asarray(tensor)
        return tensor.detach().resolve_conj().resolve_neg().cpu().numpy()

    def operations(self, call: Call) -> Iterator[tuple[str, str]]:
        """Dtype and name of every operation that the call dispatches."""
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils._pytree import tree_leaves

        torch, seen = self._torch, []

        class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
            def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                returned = operation(*args, **(kwargs or {}))
                for tensor in tree_leaves(returned):
                    if isinstance(tensor, torch.Tensor) and tensor.numel():
                        seen.append((str(tensor.dtype)[len("torch.") :], operation.__name__.split(".")[0]))
                return returned

        with Watch():  # type: ignore[no-untyped-call]
            call()
        yield from seen

    def eagerly(self) -> contextlib.AbstractContextManager[None]:
        """Have Python run what the stack compiles, for the length of a block."""
        set_stance = getattr(self._torch.compiler, "set_stance", None)
        return set_stance("force_eager") if set_stance else contextlib.nullcontext()

    def widen(self) -> None:
        """Compute in double precision where nobody says otherwise."""
        self._torch.set_default_dtype(self._torch.float64)

    def state(self) -> dict[str, Any]:
        """What all code of the process shares, by name."""
        return {
            "default dtype": self._torch.get_default_dtype(),
            "grad mode": self._torch.is_grad_enabled(),
            "determinism": self._torch.are_deterministic_algorithms_enabled(),
            "threads": self._torch.get_num_threads(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set it back."""
        self._torch.set_default_dtype(state["default dtype"])
        self._torch.set_grad_enabled(state["grad mode"])
        self._torch.use_deterministic_algorithms(state["determinism"])
        self._torch.set_num_threads(state["threads"])


class TensorFlow:
    """Runs functions of TensorFlow. One thread, as for torch; its start-up messages are kept from the user.

    In graph mode a function is traced once for each precision and set of constants, with every dimension open: a trace
    for a shape would cost more than the example, and what it folds would test another kernel. Traces are kept by
    function object; while something in the stack is replaced, those that are made belong to that change alone.

    In mode xla such a trace is compiled, anew for every shape, which takes longer than any example; what is costly is
    compiled too. An entry that makes variables stays eager in every mode.
    """

    modes = ("graph", "eager", "xla")

    unsupported = "Detected unsupported operations when trying to compile"
    """How XLA begins to say that it lacks a kernel."""

    def __init__(self, package: str, device: str, threads: int = 1, onednn: bool = True) -> None:
        with silenced():
            import tensorflow

            tensorflow.config.experimental.enable_tensor_float_32_execution(False)
            tensorflow.get_logger().setLevel("ERROR")
            tensorflow.constant(0.0)
        self._tf = tensorflow
        self._package = package
        self._device = device
        self.threads = os.environ.get("TF_NUM_INTRAOP_THREADS", "default")
        self.gpus = len(tensorflow.config.list_physical_devices("GPU"))
        if device == "cuda" and self.gpus:
            tensorflow.config.experimental.enable_op_determinism()
        self._traces: dict[tuple[object, ...], Callable[..., Any]] = {}
        self._traces_of_change: tuple[object, dict[tuple[object, ...], Callable[..., Any]]] = None, {}

    @property
    def version(self) -> str:
        return str(self._tf.__version__)

    def forget(self) -> None:
        """Drop what was traced, so that the next call traces as the first did."""
        self._traces.clear()
        self._traces_of_change = None, {}

    def ready(self, function: Callable[..., Any], question: Question) -> Call:
        """The call of a function on tensors that are ready."""
        eager = question.mode == "eager" or (question.eager and not (question.costly and question.mode == "xla"))
        tensors = [self._tensor(array, name in question.scalars) for name, array in question.tensors.items()]
        pulled = [self._tf.constant(cotangent) for cotangent in question.cotangents]
        step = self._step(function, question, tensors, pulled, eager)

        def call() -> Results:
            device = self._tf.device("GPU" if self._device == "cuda" else "CPU")
            with device, self._compilable(question.contract), stack_at_work():
                try:
                    results, gradients = step(tensors, pulled)
                except self._tf.errors.InvalidArgumentError:
                    results, gradients = values_alone(), [None] * len(question.watched)
                    if [result.shape for result in results] == [cotangent.shape for cotangent in pulled]:
                        raise
                return results, gradients

        def values_alone() -> list[Any]:
            """What is left where a cotangent does not fit, of which a trace with open sizes learns when it runs."""
            results: list[Any] = self._step(function, question, tensors, [], eager)(tensors, [])[0]
            return results

        return call

    def _step(
        self, function: Callable[..., Any], question: Question, tensors: list[Any], cotangents: list[Any], eager: bool
    ) -> Callable[..., Any]:
        names, constants = list(question.tensors), question.constants
        watched = [names.index(name) for name in question.watched] if cotangents else []

        def step(tensors: list[Any], cotangents: list[Any]) -> tuple[list[Any], list[Any]]:
            if not cotangents:
                return _as_list(function(**dict(zip(names, tensors)), **constants)), []
            with self._tf.GradientTape() as tape:
                tape.watch([tensors[i] for i in watched])
                results = _as_list(function(**dict(zip(names, tensors)), **constants))
            if not all(map(self._can_pull, results, cotangents)):
                return results, [None] * len(watched)
            sources = [tensors[i] for i in watched]
            pulled = [self._tf.cast(weight, result.dtype) for result, weight in zip(results, cotangents)]
            return results, tape.gradient(results, sources, output_gradients=pulled)

        if eager:
            return step
        dtypes = tuple(tensor.dtype for tensor in tensors)
        key = (function, tuple(constants.items()), dtypes, bool(cotangents))
        traces = self._current_traces()
        if key not in traces:
            signature = [[self._open(tensor) for tensor in tensors], [self._open(c) for c in cotangents]]
            traces[key] = self._tf.function(
                step, input_signature=signature, autograph=False, jit_compile=question.mode == "xla" or None
            )
        return traces[key]

    def _can_pull(self, result: Any, cotangent: Any) -> bool:
        """Whether a result is a tensor, which an array that left the framework is not, of the cotangent's shape."""
        return bool(self._tf.is_tensor(result)) and result.shape.is_compatible_with(cotangent.shape)

    def _current_traces(self) -> dict[tuple[object, ...], Callable[..., Any]]:
        change = getattr(sys.modules.get(self._package), INJECTED, None)
        if change is None:
            return self._traces
        if self._traces_of_change[0] is not change:
            self._traces_of_change = change, {}
        return self._traces_of_change[1]

    def _open(self, tensor: Any) -> Any:
        return self._tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)

    def _tensor(self, array: Array, scalar: bool) -> Any:
        narrowed = scalar and np.issubdtype(array.dtype, np.integer)
        return self._tf.constant(array.astype(np.int32) if narrowed else array)

    @contextlib.contextmanager
    def _compilable(self, contract: str) -> Iterator[None]:
        """Turn away a contract that XLA has no kernel for: that is no fault of the stack's, nor a pass."""
        try:
            yield
        except StackError as error:
            if self.unsupported not in str(error):
                raise
            operation = str(error).partition("JIT: ")[2].partition(" ")[0] or "an operation"
            raise CannotRun(
                f"{contract} cannot be run in mode xla: XLA has no kernel for {operation}; there are: eager, graph"
            ) from error

    def array(self, tensor: Any) -> Array:
        """As NumPy's."""
        return np.asarray(tensor)

    def operations(self, call: Call) -> Iterator[tuple[str, str]]:
        """Dtype and name of every operation in a trace of the call."""

        def results_and_gradients() -> list[object]:
            results, gradients = call()
            return [*results, *(gradient for gradient in gradients if gradient is not None)]

        with stack_at_work():  # variables that the stack makes may not be lifted out of the trace
            graph = self._tf.function(results_and_gradients, autograph=False).get_concrete_function().graph
        for operation in graph.get_operations():
            for output in operation.outputs:
                if output.shape.num_elements() != 0:
                    yield output.dtype.name, operation.type

    @contextlib.contextmanager
    def eagerly(self) -> Iterator[None]:
        """Have Python run what the stack traces or compiles, for the length of a block."""
        before = self._tf.config.functions_run_eagerly()
        self._tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            self._tf.config.run_functions_eagerly(before)

    def widen(self) -> None:
        """Compute in double precision where nobody says otherwise."""
        self._tf.keras.backend.set_floatx("float64")

    def state(self) -> dict[str, Any]:
        """What all code of the process shares, by name; Keras, which takes long to import, only if something has."""
        backend = getattr(sys.modules.get("keras"), "backend", None)
        return {"default dtype": backend.floatx() if backend else "float32"}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set it back."""
        backend = getattr(sys.modules.get("keras"), "backend", None)
        if backend:
            backend.set_floatx(state["default dtype"])


class NumPy:
    """Runs functions of NumPy, which has no gradients."""

    modes = ("eager",)

    def __init__(self, package: str, device: str, threads: int = 1, onednn: bool = True) -> None:
        self.threads = os.environ.get("OMP_NUM_THREADS", "default")
        self.gpus = 0

    @property
    def version(self) -> str:
        return np.__version__

    def forget(self) -> None:
        """Nothing is traced or compiled."""

    def ready(self, function: Callable[..., Any], question: Question) -> Call:
        """The call of a function on arrays of its own."""
        arguments = {name: array.copy() for name, array in question.tensors.items()}

        def call() -> Results:
            with stack_at_work():
                return _as_list(function(**arguments, **question.constants)), [None] * len(question.watched)

        return call

    def array(self, tensor: Any) -> Array:
        """As it is; a size comes as a plain number."""
        return np.asarray(tensor)

    def eagerly(self) -> contextlib.AbstractContextManager[None]:
        """Python runs all of it anyway, or once more after `forget`."""
        self.forget()
        return contextlib.nullcontext()

    def operations(self, call: Call) -> Iterator[tuple[str, str]]:
        """None: NumPy tells nobody what it does."""
        return iter(())

    def state(self) -> dict[str, Any]:
        """Nothing beside what the process shares anyway."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to set back."""


class Jax(NumPy):
    """Runs functions of JAX as they stand, in double precision where that is asked.

    What the functions themselves compile, JAX compiles anew for every shape. Its gradients are the conjugates of those
    that the other frameworks give.
    """

    def __init__(self, package: str, device: str, threads: int = 1, onednn: bool = True) -> None:
        import jax

        jax.config.update("jax_platforms", "cuda,cpu" if device == "cuda" else "cpu")
        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_default_matmul_precision", "highest")
        self._jax = jax
        self.threads = "default"
        self.gpus = sum(found.platform != "cpu" for found in jax.devices())

    @property
    def version(self) -> str:
        return str(self._jax.__version__)

    def forget(self) -> None:
        """Drop what was compiled, so that the next call compiles as the first did."""
        self._jax.clear_caches()

    def ready(self, function: Callable[..., Any], question: Question) -> Call:
        """The call of a function on arrays that are ready."""
        tensors = {name: self._jax.numpy.asarray(array) for name, array in question.tensors.items()}
        asked = [name for name in question.watched if name not in question.unasked and question.cotangents]
        watched = {name: tensors.pop(name) for name in asked}

        def run(given: dict[str, Any]) -> list[Any]:
            return _as_list(function(**given, **tensors, **question.constants))

        def call() -> Results:
            with stack_at_work():
                if not watched:
                    return run({}), [None] * len(question.watched)
                results, pull = self._jax.vjp(run, watched)
                if [result.shape for result in results] != [cotangent.shape for cotangent in question.cotangents]:
                    return results, [None] * len(question.watched)
                pairs = zip(results, question.cotangents)
                (gradients,) = pull([cotangent.astype(result.dtype).conj() for result, cotangent in pairs])
                return results, [gradients[name].conj() if name in gradients else None for name in question.watched]

        return call

    def operations(self, call: Call) -> Iterator[tuple[str, str]]:
        """Dtype and name of every operation that the call is traced to."""
        traced = [self._jax.make_jaxpr(lambda: call()[0])().jaxpr]
        while traced:
            for step in traced.pop().eqns:
                traced += self._jax.core.jaxprs_in_params(step.params)
                yield from ((str(result.aval.dtype), step.primitive.name) for result in step.outvars)

    def state(self) -> dict[str, Any]:
        """What all code of the process shares, by name."""
        return {"default dtype": "float64" if self._jax.config.jax_enable_x64 else "float32"}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set it back."""
        self._jax.config.update("jax_enable_x64", state["default dtype"] == "float64")


def _as_list(returned: Any) -> list[Any]:
    return list(returned) if isinstance(returned, tuple) else [returned]


ENGINES: Mapping[str, Any] = {"torch": Torch, "tensorflow": TensorFlow, "jax": Jax, "numpy": NumPy}
"""By framework, in the order of import: torch before TensorFlow."""


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Hold back the process's standard error, below Python, for the length of the block.

    If the block raises, what was held back is printed after all: it may say why.
    """
    import tempfile

    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def narrower_than(found: Iterator[tuple[str, str]], dtypes: Sequence[str]) -> dict[str, str]:
    """The first operation of each of these dtypes, by dtype; of complex numbers, by that of their parts."""
    real_of = {"complex64": "float32", "complex32": "float16"}
    narrow: dict[str, str] = {}
    for dtype, operation in found:
        if dtype in dtypes:
            narrow.setdefault(real_of.get(dtype, dtype), operation)
    return narrow


def frame(header: Mapping[str, Any], arrays: Arrays) -> list[bytes]:
    """A message: the header in a line, then the bytes of the arrays, which it lists.

    The order in which an array lies in memory is kept: a framework adds up in that order.
    """
    listed, parts = [], []
    for name, array in arrays.items():
        copy = np.array(array)
        order = sorted(range(copy.ndim), key=lambda axis: -copy.strides[axis])
        laid = copy.transpose(order)
        listed.append([name, laid.dtype.str, list(laid.shape), order])
        parts.append(laid.tobytes())
    return [json.dumps({**header, "arrays": listed}).encode() + b"\n", *parts]


def sizes_of(header: Mapping[str, Any]) -> list[int]:
    """How many bytes each array of a message has."""
    return [int(np.dtype(dtype).itemsize * np.prod(shape, dtype=np.int64)) for _, dtype, shape, _ in header["arrays"]]


def unframe(header: Mapping[str, Any], body: bytes) -> dict[str, Array]:
    """The arrays of a message, by name."""
    arrays, start = {}, 0
    for (name, dtype, shape, order), size in zip(header["arrays"], sizes_of(header)):
        laid = np.frombuffer(body[start : start + size], np.dtype(dtype)).reshape(shape)
        arrays[name] = laid.transpose(np.argsort(order)) if order else laid
        start += size
    return arrays


class Channel:
    """The worker's end of its two pipes, which nothing that the stack does can reach by accident.

    Standard input is empty from here on, standard output leads to standard error, and a forked child has no channel.
    """

    def __init__(self) -> None:
        self._source = os.fdopen(os.dup(0), "rb")
        self._sink = os.fdopen(os.dup(1), "wb")
        self._process = os.getpid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        for pipe in (self._source, self._sink):
            with contextlib.suppress(OSError):
                os.close(pipe.fileno())

    def read(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The next message; the process ends where there is none."""
        with _open_pipe():
            line = self._source.readline()
            if not line:
                os._exit(0)
            header = json.loads(line)
            return header, unframe(header, self._source.read(sum(sizes_of(header))))

    def write(self, header: Mapping[str, Any], arrays: Arrays) -> None:
        """Answer; a child that came back from a fork in the stack ends here instead."""
        if os.getpid() != self._process:
            os._exit(0)
        with _open_pipe():
            self._sink.writelines(frame(header, arrays))
            self._sink.flush()


@contextlib.contextmanager
def _open_pipe() -> Iterator[None]:
    """End the process, without what the stack has left to do at its exit, if the stack has closed the pipe."""
    try:
        yield
    except OSError:
        os._exit(CLOSED)


class Settings(NamedTuple):
    """What a worker is started for.

    The functions of `package`, which lies in one of the folders `path`: by the mirror rule, or by the file `bindings`.
    The modules `stubs` are imported and never used. `accepts` names what of the process's state importing the bindings
    may change. `absent` is what is said where the framework is not installed. With `widened`,
    every single precision that is written in the package's sources and the bindings is doubled. Which functions of the
    files in the folder `traced` run is noted from the beginning. The packages `beside` must lie where `package` does.
    """

    framework: str
    package: str
    path: list[str]
    device: str = "cpu"
    threads: int = 1
    onednn: bool = True
    bindings: str | None = None
    stubs: Sequence[str] = ()
    accepts: Sequence[str] = ()
    absent: str = "the framework is not installed"
    widened: bool = False
    traced: str = ""
    beside: Sequence[str] = ()


def places_of(settings: Settings, package: str) -> list[str]:
    """The folders of a package. Raises ImportError where one lies elsewhere: nobody has asked for that."""
    spec = importlib.util.find_spec(package)
    places = [os.path.realpath(place) for place in (spec.submodule_search_locations or ())] if spec else []
    if spec and not places and spec.origin:
        places = [os.path.realpath(spec.origin)]
    path = [os.path.realpath(folder) for folder in settings.path]
    if not places or not all(any(_lies_in(place, folder) for folder in path) for place in places):
        found = " and ".join(places) or "no such package"
        raise ImportError(f"{package}: expected it in {' or '.join(path)}, got {found}")
    return places


def _version_of(settings: Settings) -> str:
    """The version of the package, as it says itself, or as its installation does; "" where nobody does."""
    said = getattr(sys.modules.get(settings.package), "__version__", None)
    installed = importlib.metadata.distributions(name=settings.package, path=settings.path)
    return said if isinstance(said, str) else next((one.version for one in installed), "")


class Mirror:
    """The functions of a package, by the mirror rule: of contract `losses.mae`, `mae` in its module `losses`."""

    def __init__(self, settings: Settings) -> None:
        self._package = settings.package
        self._entries: dict[tuple[str, Any], Callable[..., Any]] = {}
        for package in (settings.package, *settings.beside):
            places_of(settings, package)

    def bound(self) -> None:
        """All that the package has."""

    def unreached(self, question: Question, eagerly: Callable[[], Any]) -> contextlib.AbstractContextManager[None]:
        """The function is the package's own."""
        return contextlib.nullcontext()

    def of(self, question: Question) -> Callable[..., Any]:
        """The function that a question is about."""
        if question.entry is None:
            return self._named(question.address)
        key = (question.contract, question.entry)
        if key not in self._entries:
            # How an entry is called, a declaration of the harness says, which lies beside its own stacks.
            declared = importlib.import_module("parity.contracts.declared").REGISTRY
            entry = declared[question.contract].entries[int(question.entry)]
            self._entries[key] = functools.partial(entry.call, self._named(entry.path))
        return self._entries[key]

    def _named(self, address: str) -> Any:
        module, _, name = address.rpartition(".")
        with stack_at_work():
            return getattr(importlib.import_module(f"{self._package}.{module}"), name)


def _lies_in(place: str, folder: str) -> bool:
    return os.path.commonpath([place, folder]) == folder


class Bindings:
    """The functions that a file binds to contracts, each of which must lead to code of the package."""

    def __init__(self, settings: Settings) -> None:
        self._package, self._file = settings.package, settings.bindings or ""
        self._places = tuple(places_of(settings, settings.package))
        self._reaching: set[tuple[str, str]] = set()
        load = _WideningLoader if settings.widened else importlib.machinery.SourceFileLoader
        spec = importlib.util.spec_from_loader("parity_bindings", load("parity_bindings", self._file))
        assert spec
        assert spec.loader
        try:
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        except BaseException as error:
            raise ImportError(self._words(error)) from error
        places_of(settings, settings.package)  # what the bindings import may have changed it

    def bound(self) -> list[tuple[str, str, tuple[str, ...], dict[str, Any]]]:
        """Contract, name, the arguments with respect to which no gradient is asked, and conventions of each binding."""
        return [(*key, binding.unasked, binding.conventions) for key, binding in BINDINGS.items()]

    def of(self, question: Question) -> Callable[..., Any]:
        """The function that a question is about, given its sizes as plain numbers."""
        return functools.partial(_with_numbers, BINDINGS[self._key(question)].function, frozenset(question.scalars))

    @contextlib.contextmanager
    def unreached(self, question: Question, eagerly: Callable[[], Any]) -> Iterator[None]:
        """Raise BindingError if the block, in which a binding is called, leads to no code of the package.

        And for what a binding raises by itself: that says nothing of the stack. `eagerly` calls it in Python alone: of
        what a framework has compiled, Python sees nothing.
        """
        key = self._key(question)
        reached = key in self._reaching
        try:
            with contextlib.nullcontext() if reached else watching(self._is_own) as seen:
                yield
        except StackError as error:
            cause = error.__cause__
            if cause is not None and not any(map(self._is_own, _files(cause))):
                raise BindingError(self._words(cause)) from error
            raise
        if seen is not None and not seen.called:
            with watching(self._is_own) as seen:
                eagerly()
        if seen is not None and not seen.called:
            raise BindingError(f"it runs no code of {self._package}, so that it would hold whatever that does")
        self._reaching.add(key)

    def _key(self, question: Question) -> tuple[str, str]:
        """What is bound to a contract itself goes before what is bound to its function."""
        name = str(question.entry or "")
        return next(key for key in ((question.contract, name), (question.address, name)) if key in BINDINGS)

    def _is_own(self, file: str) -> bool:
        """Whether a file is one of the package."""
        return os.path.realpath(file).startswith(self._places)

    def _words(self, error: BaseException) -> str:
        """What was raised, and the line of the bindings in which it was."""
        lines = [
            line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == self._file
        ]
        where = f"{os.path.basename(self._file)}, line {lines[-1]}: " if lines else ""
        lacking = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
        is_foreign = lacking and lacking.split(".")[0] != self._package.split(".")[0]
        hint = f'; if nothing bound uses it, `stubs = ["{lacking}"]` stands in for it' if is_foreign else ""
        return f"{where}raised {type(error).__name__}: {first_line(error)}{hint}"


def _with_numbers(function: Callable[..., Any], scalars: frozenset[str], /, **arguments: Any) -> Any:
    return function(**{name: np.asarray(x).item() if name in scalars else x for name, x in arguments.items()})


def _files(error: BaseException) -> Iterator[str]:
    return (frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__))


class Ran(NamedTuple):
    """Code that has run: the functions that were `called`, and those that were while a module was `imported`."""

    called: set[types.CodeType]
    imported: set[types.CodeType]


@contextlib.contextmanager
def watching(is_meant: Callable[[str], bool]) -> Iterator[Ran]:
    """The functions of such files that run in the block; the bodies of classes and modules are none."""
    ran = Ran(set(), set())
    meant = functools.lru_cache(maxsize=None)(is_meant)
    importing = 0

    def entered(frame: Any, event: str, argument: Any) -> Any:
        nonlocal importing
        code = frame.f_code
        if code.co_name == "<module>":
            importing += 1
            frame.f_trace_lines = False
            return left
        if code.co_flags & inspect.CO_OPTIMIZED and meant(code.co_filename):
            (ran.imported if importing else ran.called).add(code)
        return None

    def left(frame: Any, event: str, argument: Any) -> Any:
        nonlocal importing
        importing -= event == "return"
        return left

    sys.settrace(entered)  # of a profile, Python would be told of every call of C, too
    threading.settrace(entered)
    try:
        yield ran
    finally:
        sys.settrace(None)
        threading.settrace(None)


def _places(codes: set[types.CodeType]) -> list[tuple[str, int]]:
    """The file and the first line of each function."""
    return [(os.path.realpath(code.co_filename), code.co_firstlineno) for code in codes]


class _LibrariesFirst(importlib.abc.MetaPathFinder):
    """Finds a module in a library rather than beside the stack, where a `torch.py` or a `random.py` may lie.

    Of a stack with bindings, whose folder may have packages that are installed, too, as older ones, that goes for the
    framework, for what it has imported and for Python's own modules.
    """

    def __init__(self, settings: Settings, libraries: Sequence[str]) -> None:
        self._beside = {settings.package.split(".")[0], "parity", "ptycho_exposures"}
        self._libraries = libraries
        self._all = not settings.bindings
        self._names = {settings.framework, *getattr(sys, "stdlib_module_names", ())}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if path is not None or name in self._beside:
            return None
        if not (self._all or name in self._names or self._is_wanted_by_framework()):
            return None
        return importlib.machinery.PathFinder.find_spec(name, self._libraries)

    def _is_wanted_by_framework(self) -> bool:
        """Whether the import is made by code that is installed."""
        frame: Any = sys._getframe(1)
        while frame and frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        return bool(frame) and "site-packages" in frame.f_code.co_filename


class _Stub(types.ModuleType):
    """A module to import, of which nothing is used; what is read of it is another, or a class."""

    __path__: list[str] = []  # noqa: RUF012  # what makes a module a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        return sys.modules.get(full) or (_Stub(full) if name[:1].islower() else type(name, (), {}))


class _Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules that are imported and never used, and need not be installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if self._stands_for(name) else None

    def _stands_for(self, name: str) -> bool:
        return any(name == stub or name.startswith(f"{stub}.") for stub in self._names)

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Stub(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


_NARROW = {
    r"\bcomplex64\b": "complex128",
    r"\bcfloat\b": "cdouble",
    r"\bfloat32\b": "float64",
    r"\btorch\.float\b": "torch.double",
    r"\.float\(\)": ".double()",
    r"\bFloatTensor\b": "DoubleTensor",
}
"""The single precisions in a source, as regular expressions, and what stands for each where it is widened."""


class _Sources(importlib.abc.MetaPathFinder):
    """Finds the modules that are meant, by name and the path of their package, and has a loader read their sources."""

    def __init__(self, loader: type[_SourceLoader], is_meant: Callable[[str, Any], bool]) -> None:
        self._loader, self._is_meant = loader, is_meant

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if self._is_meant(name, path) else None
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = self._loader(spec.loader.name, spec.loader.path)
        return spec


class _SourceLoader(importlib.machinery.SourceFileLoader):
    """Compiles the source, whatever lies compiled beside it: that may be of another."""

    def get_code(self, fullname: str) -> Any:
        try:
            return self.source_to_code(self.get_data(self.path), self.path)
        except SyntaxError as error:
            error.filename = error.filename or self.path  # which Python leaves out of null bytes and encodings
            raise


class _WideningLoader(_SourceLoader):
    def get_code(self, fullname: str) -> Any:
        code = super().get_code(fullname)
        source = wide = importlib.util.decode_source(self.get_data(self.path))
        for narrow, other in _NARROW.items():
            wide = re.sub(narrow, other, wide)
        return code if wide == source else compile(wide, self.path, "exec", dont_inherit=True)


class Server:
    """Answers questions about one stack, one after another."""

    def __init__(self, settings: Settings, channel: Channel) -> None:
        self._settings, self._channel = settings, channel
        self._entered: dict[str, contextlib.ExitStack] = {}
        self._imported: set[types.CodeType] = set()

    def serve(self) -> None:
        """Say who is here, then answer until nobody asks any more."""
        hello = self._begun()
        self._channel.write(hello, {})
        while True:
            header, arrays = self._channel.read()
            answer, answered = (hello, {}) if "missing" in hello else self._answer(header, arrays)
            self._channel.write(answer, answered)

    def _begun(self) -> dict[str, Any]:
        settings = self._settings
        try:
            if importlib.util.find_spec(settings.framework) is None:
                return {"missing": settings.absent}
            engine = ENGINES[settings.framework](settings.package, settings.device, settings.threads, settings.onednn)
        except BaseException as error:  # whatever its packages raise
            return {"missing": not_importable(settings.framework, error)}
        self._engine = engine
        if settings.widened:
            top = settings.package.split(".")[0]
            sys.meta_path.insert(0, _Sources(_WideningLoader, lambda name, path: name.split(".")[0] == top))
            engine.widen()
        self._state = self._shared()
        try:
            with self._traced():
                self._functions: Any = Bindings(settings) if settings.bindings else Mirror(settings)
        except ImportError as error:
            return {"missing": first_line(error)}
        changed = self._restored(settings.accepts)
        if changed:
            said = f"importing {settings.bindings} {changed['stack']}"
            return {"missing": f"{said}; if that is meant, the subject's `accepts` lets it"}
        bound, package = self._functions.bound(), _version_of(settings)
        described = {"version": engine.version, "threads": engine.threads, "gpus": engine.gpus}
        return {**described, "bound": bound, "package": package}

    def _answer(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        try:
            with stack_at_work():
                answer, answered = getattr(self, f"_{header['ask']}")(header, arrays)
        except StackError as error:
            return {"stack": str(error), **self._restored()}, {}
        except Outside as error:
            return {"outside": first_line(error)}, {}
        except BindingError as error:
            return {"binding": str(error)}, {}
        except Unreadable as error:
            return {"unreadable": str(error)}, {}
        except CannotRun as error:
            return {"refused": str(error)}, {}
        except Missing as error:
            return {"missing": str(error)}, {}
        except MemoryError as error:
            return {"memory": first_line(error)}, {}
        except BaseException as error:  # whatever a stack raises, it is no end of this process
            return {"stack": raised(error), **self._restored()}, {}
        changed = self._restored()
        return (changed, {}) if changed else (answer, answered)

    def _evaluate(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        question = Question.read(header, arrays)
        with self._functions.unreached(question, functools.partial(self._call_eagerly, question)):
            results, gradients = self._engine.ready(self._functions.of(question), question)()
        answered = {f"result:{i}": self._engine.array(result) for i, result in enumerate(results)}
        given = {f"gradient:{i}": self._engine.array(g) for i, g in enumerate(gradients) if g is not None}
        left = any(isinstance(result, (np.ndarray, np.generic)) for result in results)
        return {"results": len(answered), "left": left}, {**answered, **given}

    def _call_eagerly(self, question: Question) -> None:
        with self._engine.eagerly():
            self._engine.ready(self._functions.of(question), question)()

    def _intermediates(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        question = Question.read(header, arrays)
        call = self._engine.ready(self._functions.of(question), question)
        return {"narrow": narrower_than(self._engine.operations(call), header["narrower"])}, {}

    def _trace(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Which functions run, forwards and backwards, each by file and first line; whatever comes of it."""
        question = Question.read(header, arrays)
        failing = contextlib.suppress(StackError, Outside, BindingError, CannotRun)
        with self._engine.eagerly(), self._traced() as ran, failing, stack_at_work():
            function = self._functions.of(question)
            results, _ = self._engine.ready(function, question)()
            weights = [np.ones_like(self._engine.array(result)) for result in results]
            self._engine.ready(function, question._replace(cotangents=weights))()
        modules = (module for module in list(sys.modules.values()) if isinstance(module, types.ModuleType))
        files = (module.__dict__.get("__file__") or "" for module in modules)
        loaded = [os.path.realpath(file) for file in files if _lies_below(self._settings.traced, file)]
        return {"called": _places(ran.called), "imported": _places(self._imported), "loaded": loaded}, {}

    @contextlib.contextmanager
    def _traced(self) -> Iterator[Ran]:
        if not self._settings.traced:
            yield Ran(set(), set())
            return
        with watching(functools.partial(_lies_below, self._settings.traced)) as ran:
            yield ran
        self._imported |= ran.imported

    def _forget(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        self._engine.forget()
        return {}, {}

    def _enter(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Enter a context, such as a change that is made in the stack, which the harness names."""
        module, _, name = header["context"].partition(":")
        context = contextlib.ExitStack()
        try:
            context.enter_context(getattr(importlib.import_module(module), name)(*header["arguments"]))
        except LookupError as error:
            return {"lookup": first_line(error)}, {}
        self._entered[header["key"]] = context
        return {}, {}

    def _leave(self, header: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Leave a context, unless the process that has entered it is no more, and this is another in its place."""
        if header["key"] in self._entered:
            self._entered.pop(header["key"]).close()
        return {}, {}

    def _shared(self) -> dict[str, Any]:
        return {"error state": np.geterr(), "folder": _folder(), **self._engine.state()}

    def _restored(self, accepted: Sequence[str] = ()) -> dict[str, Any]:
        """Undo what the stack has changed of what all code in the process shares, and say what that was."""
        now = self._shared()
        self._state = {**now, **self._state, **{name: now[name] for name in accepted if name in now}}
        changed = [name for name in now if now[name] != self._state[name]]
        if not changed:
            return {}
        np.seterr(**self._state["error state"])
        os.chdir(self._state["folder"])
        self._engine.restore(self._state)
        first = changed[0]
        before, after = _told(self._state[first]), _told(now[first])
        return {"stack": f"changed the {STATE[first]} of its process, from {before} to {after}"}


@functools.lru_cache(maxsize=None)
def _lies_below(folder: str, file: str) -> bool:
    """Whether a file is one of a folder's own: what is installed in an environment that lies there is not."""
    path = os.path.realpath(file)
    return path.startswith(os.path.join(folder, "")) and "site-packages" not in path


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "one that has been deleted"


def _told(state: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in state.items()) if isinstance(state, dict) else str(state)


STATE = {
    "error state": "error state of NumPy",
    "folder": "working folder",
    "default dtype": "default dtype",
    "grad mode": "grad mode",
    "determinism": "choice of deterministic algorithms",
    "threads": "number of threads",
}
"""The state of a process that a stack must leave alone, in words."""


def main() -> None:
    """Serve until nobody asks any more; what the stack has left to do at its exit is not done."""
    settings = Settings(**json.loads(sys.argv[1]))
    channel = Channel()
    here = os.path.dirname(os.path.abspath(__file__))
    libraries = [folder for folder in sys.path if os.path.abspath(folder) != here]
    sys.path[:] = [*settings.path, *libraries]
    if settings.bindings:
        sys.meta_path[:] = [finder for finder in sys.meta_path if not _is_of_harness(finder)]
    else:
        sys.meta_path.insert(0, _Sources(_SourceLoader, functools.partial(_is_beside, settings.path)))
    sys.meta_path.insert(0, _LibrariesFirst(settings, libraries))
    sys.meta_path.insert(0, _Stubs(settings.stubs))
    sys.modules["parity_binding"] = sys.modules["__main__"]
    Server(settings, channel).serve()


def _is_beside(folders: Sequence[str], name: str, path: Any) -> bool:
    """Whether a module lies where the stack does."""
    places = path if path is not None else [place for place in folders if _has(place, name)]
    return any(_lies_below(folder, os.path.join(place, name)) for folder in folders for place in places)


def _has(folder: str, name: str) -> bool:
    return any(os.path.exists(os.path.join(folder, found)) for found in (name, f"{name}.py"))


def _is_of_harness(finder: Any) -> bool:
    """Whether a finder leads to the harness's own checkout, which has packages of names that a user's have, too."""
    return "ptycho_parity" in getattr(finder, "__module__", "")


if __name__ == "__main__":
    main()
