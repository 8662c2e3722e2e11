"""A golden: one case, frozen, with everything that judges a stack on it; and its bytes.

The bytes are an uncompressed .npz, which everyone can open. Equal goldens have equal bytes:

| array | is |
|---|---|
| `case` | contract, stratum, seed and precision, as JSON |
| `inputs/…` | the arguments, in the working precision, canonical |
| `cotangents/…` | what the gradients are pulled back from, by result |
| `oracle/value/…`, `oracle/gradient/…` | what the oracle says, float64 |
| `bounds/value/…`, `bounds/gradient/…` | how far a correct stack may stray from that, float64 |
| `tensorflow/…`, `torch/…` | what each stack returned; nothing of a stack that was not within its bounds |
| `proof` | the mistakes that it tells from the truth, and by how many times the bound, as JSON |
| `provenance` | when, why and from what it was made, as JSON; shown, never compared |
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity.measure import GRADIENT
from parity.oracle.bounded import Bounded
from parity.precision import FLOAT32, PRECISIONS, Precision

FORMAT = 1
"""Raised when a reader of older goldens would misread a newer one."""

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""By argument, by result or by quantity."""

PROVENANCE = "provenance"
"""The array that is shown, and not compared."""

_TEXTS = ("case", "proof", PROVENANCE)
_PLAIN = ("inputs", "cotangents")
_ORACLE, _BOUNDS = "oracle", "bounds"
_STACKS = ("tensorflow", "torch")
_OF_QUANTITIES = (_ORACLE, _BOUNDS, *_STACKS)


class GoldenError(ValueError):
    """Goldens that cannot be used; the message names the file, what was expected and what came."""


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A case frozen. `oracle`, `bounds` and each of `outputs`, which are by stack, are by quantity.

    `bounds` are how far a stack may stray, elementwise: `Bounded.allowed`. `proof` says of each mistake that the golden
    tells from the truth by how many times the bound.
    """

    contract: str
    stratum: str
    seed: int
    precision: Precision
    inputs: Arrays
    cotangents: Arrays
    oracle: Arrays
    bounds: Arrays
    outputs: Mapping[str, Arrays]
    proof: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def case(self) -> str:
        """`stratum/seed`, as `parity run --case` takes it."""
        return f"{self.stratum}/{self.seed}"

    @property
    def name(self) -> str:
        """`contract/stratum-seed`; a golden in another precision than float32 says so."""
        return golden_name(self.contract, self.stratum, self.seed, self.precision)

    @property
    def truth(self) -> dict[str, Bounded]:
        """The oracle's values with their bounds, by quantity."""
        return {
            quantity: Bounded.allowing(value, self.bounds[quantity], self.precision)
            for quantity, value in self.oracle.items()
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything in it, by the name that it has in the file."""
        case = {
            "format": FORMAT,
            "contract": self.contract,
            "stratum": self.stratum,
            "seed": self.seed,
            "precision": self.precision.name,
        }
        texts = dict(zip(_TEXTS, (case, self.proof, self.provenance), strict=True))
        named = {name: np.array(_as_json(text)) for name, text in texts.items()}
        for part, arrays in zip(_PLAIN, (self.inputs, self.cotangents), strict=True):
            named |= {f"{part}/{name}": array for name, array in arrays.items()}
        for part, arrays in {_ORACLE: self.oracle, _BOUNDS: self.bounds, **self.outputs}.items():
            named |= {f"{part}/{_path_of(quantity)}": array for quantity, array in arrays.items()}
        return {name: little_endian(named[name]) for name in sorted(named)}


def golden_name(contract: str, stratum: str, seed: int, precision: Precision) -> str:
    """How a golden of this case is called: its file without `.npz`."""
    return f"{contract}/{stratum}-{seed}{'' if precision is FLOAT32 else f'.{precision.name}'}"


def encode(golden: Golden) -> bytes:
    """A golden's bytes: equal for equal arrays, whenever and wherever they are written."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **golden.arrays())
    return buffer.getvalue()


def decode(content: bytes, name: str) -> Golden:
    """The golden in these bytes. Raises GoldenError, which begins with `name`, for anything else."""
    arrays = read_arrays(content, name)
    parts: dict[str, dict[str, NDArray[Any]]] = {part: {} for part in (*_PLAIN, *_OF_QUANTITIES)}
    texts: dict[str, Any] = {}
    for key, array in arrays.items():
        part, slash, rest = key.partition("/")
        if key in _TEXTS:
            texts[key] = _from_json(array, f"{name}: {key}")
        elif slash and part in _PLAIN:
            parts[part][rest] = array
        elif slash and part in _OF_QUANTITIES:
            parts[part][_quantity_of(rest, f"{name}: {key}")] = array
        else:
            raise GoldenError(f"{name}: expected arrays of a golden, got one named {key}")
    golden = _assembled(texts, parts, name)
    _check(golden, name)
    return golden


def read_arrays(content: bytes, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of an uncompressed .npz, by name. Nothing is unpickled. Raises GoldenError for anything else."""
    try:
        return dict(_read_arrays(content))
    except GoldenError as error:
        raise GoldenError(f"{name}: {error}") from None
    except (zipfile.BadZipFile, ArithmeticError, EOFError, LookupError, NotImplementedError, OSError) as error:
        raise GoldenError(f"{name}: expected an uncompressed .npz, got {_first_line(error)}") from error
    except (MemoryError, RecursionError, RuntimeError, SyntaxError, TypeError, ValueError) as error:
        raise GoldenError(f"{name}: expected arrays that need no unpickling, got {_first_line(error)}") from error


def _read_arrays(content: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content):
                raise GoldenError(f"expected {entry.filename} as it is, got it compressed")
            if not entry.filename.endswith(".npy"):
                raise GoldenError(f"expected arrays, got a file named {entry.filename}")
            stored = archive.read(entry)
            stream = io.BytesIO(stored)
            array = np.lib.format.read_array(stream, allow_pickle=False)
            if stream.tell() != len(stored):
                raise GoldenError(f"expected {entry.filename} to end with its array, got more")
            yield entry.filename.removesuffix(".npy"), array


def digest(array: NDArray[Any]) -> str:
    """SHA-256 of an array's content, whatever file it lies in: dtype, shape, little-endian bytes in C order."""
    array = little_endian(array)
    hashed = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    hashed.update(array.tobytes())
    return hashed.hexdigest()


def little_endian(array: NDArray[Any]) -> NDArray[Any]:
    """In little-endian bytes and C order."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _assembled(texts: Mapping[str, Any], parts: Mapping[str, Arrays], name: str) -> Golden:
    missing = [text for text in _TEXTS if text not in texts]
    if missing:
        raise GoldenError(f"{name}: expected an array named {missing[0]}, got none")
    case = texts["case"]
    expected = {"format": int, "contract": str, "stratum": str, "seed": int, "precision": str}
    if {key: type(value) for key, value in case.items()} != expected:
        raise GoldenError(f"{name}: case: expected {', '.join(expected)}, got {_as_json(case)[:200]}")
    if case["format"] != FORMAT:
        raise GoldenError(f"{name}: expected a golden of format {FORMAT}, got {case['format']}")
    if case["precision"] not in PRECISIONS:
        raise GoldenError(f"{name}: case: expected one of {', '.join(PRECISIONS)}, got {case['precision']}")
    if not all(isinstance(ratio, int | float) for ratio in texts["proof"].values()):
        raise GoldenError(f"{name}: proof: expected a number for each mistake, got {_as_json(texts['proof'])[:200]}")
    return Golden(
        contract=case["contract"],
        stratum=case["stratum"],
        seed=case["seed"],
        precision=PRECISIONS[case["precision"]],
        inputs=parts["inputs"],
        cotangents=parts["cotangents"],
        oracle=parts[_ORACLE],
        bounds=parts[_BOUNDS],
        outputs={stack: parts[stack] for stack in _STACKS if parts[stack]},
        proof=texts["proof"],
        provenance=texts[PROVENANCE],
    )


def _check(golden: Golden, name: str) -> None:
    """Refuse what cannot be judged: no oracle, an array without its bound, an output that nothing is compared with."""
    if golden.name != name:
        raise GoldenError(f"{name}: expected the golden of that name, got {golden.name}")
    if not golden.oracle or not golden.inputs:
        raise GoldenError(f"{name}: expected inputs and what the oracle says of them, got none")
    if golden.bounds.keys() != golden.oracle.keys():
        raise GoldenError(f"{name}: expected a bound for each of {', '.join(golden.oracle)}, got {[*golden.bounds]}")
    for quantity, value in golden.oracle.items():
        bound = golden.bounds[quantity]
        if value.dtype not in (np.float64, np.complex128) or bound.dtype != np.float64:
            raise GoldenError(
                f"{name}: {quantity}: expected the oracle and its bounds in float64, got {value.dtype} and {bound.dtype}"
            )
        if bound.shape != value.shape or not (bound >= 0).all():
            raise GoldenError(
                f"{name}: {quantity}: expected bounds of shape {value.shape}, none negative, got shape {bound.shape}"
            )
    for stack, outputs in golden.outputs.items():
        for quantity, output in outputs.items():
            expected = golden.oracle.get(quantity)
            if expected is None or output.shape != expected.shape:
                raise GoldenError(
                    f"{name}: {stack}, {quantity}: expected "
                    f"{'no such quantity' if expected is None else f'shape {expected.shape}'}, got shape {output.shape}"
                )


def _path_of(quantity: str) -> str:
    """Where a quantity lies in the file: ∂/∂x, a gradient, would be two folders."""
    if quantity.startswith(GRADIENT):
        return f"gradient/{quantity.removeprefix(GRADIENT)}"
    return f"value/{quantity}"


def _quantity_of(path: str, where: str) -> str:
    kind, _, name = path.partition("/")
    if kind not in ("value", "gradient") or not name:
        raise GoldenError(f"{where}: expected value/… or gradient/…, got {path}")
    return f"{GRADIENT}{name}" if kind == "gradient" else name


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _from_json(array: NDArray[Any], where: str) -> dict[str, Any]:
    if array.ndim or array.dtype.kind != "U":
        raise GoldenError(f"{where}: expected a text, got {array.dtype} of shape {array.shape}")
    try:
        value = json.loads(str(array))
    except (RecursionError, ValueError) as error:
        raise GoldenError(f"{where}: expected JSON, got {_first_line(error)}") from error
    if not isinstance(value, dict):
        raise GoldenError(f"{where}: expected an object in JSON, got {type(value).__name__}")
    return value


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
