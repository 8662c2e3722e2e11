"""A golden: one case, frozen, with everything that judges a stack on it; and its bytes.

The bytes are an uncompressed .npz, which everyone can open. Equal goldens have equal bytes:

| array | is |
|---|---|
| `case` | contract, stratum, seed and precision, as JSON |
| `inputs/…` | the arguments, in the working precision, canonical |
| `cotangents/…` | what the gradients are pulled back from, by result |
| `oracle/value/…`, `oracle/gradient/…` | what the oracle says, float64 |
| `bounds/value/…`, `bounds/gradient/…` | how far a correct stack may stray from that, float64 |
| `tensorflow/…`, `torch/…` | what each stack, or subject, returned; nothing of one that was not within its bounds |
| `proof` | the faults that it tells from the truth, and by how many times the bound, as JSON |
| `provenance` | when, why and from what it was made, as JSON; shown, never compared |
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity.goldens.errors import GoldenError, first_line
from parity.goldens.npz import packed, unpacked
from parity.judging.measurement import distance, fault_of
from parity.judging.quantity import Arrays, Quantity, QuantityKind
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, PRECISIONS, Precision
from ptycho_exposures.archive import little_endian

FORMAT = 1
"""Raised when a reader of older goldens would misread a newer one."""

NamedArrays: TypeAlias = Mapping[str, NDArray[Any]]
"""By argument, by result, or by the name in the file."""

PROVENANCE = "provenance"
"""The array that is shown, and not compared."""

_TEXTS = ("case", "proof", PROVENANCE)
_PLAIN = ("inputs", "cotangents")
_ORACLE, _BOUNDS = "oracle", "bounds"
_PARTS = frozenset((*_TEXTS, *_PLAIN, _ORACLE, _BOUNDS))
_STACK = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """A case frozen. `oracle`, `bounds` and each of `outputs`, which are by stack, are by quantity.

    `bounds` are how far a stack may stray, elementwise: `Bounded.allowed`. `proof` says of each fault that the golden
    tells from the truth by how many times the bound.
    """

    contract: str
    stratum: str
    seed: int
    precision: Precision
    inputs: NamedArrays
    cotangents: NamedArrays
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
    def truth(self) -> dict[Quantity, Bounded]:
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
        for part, judged in {_ORACLE: self.oracle, _BOUNDS: self.bounds, **self.outputs}.items():
            named |= {f"{part}/{_path_of(quantity)}": array for quantity, array in judged.items()}
        return {name: little_endian(named[name]) for name in sorted(named)}


def is_of_stack(array: str) -> bool:
    """Whether an array of this name in a file is what a stack returned."""
    part = array.partition("/")[0]
    return part not in _PARTS and _STACK.fullmatch(part) is not None


def golden_name(contract: str, stratum: str, seed: int, precision: Precision) -> str:
    """How a golden of this case is called: its file without `.npz`."""
    return f"{contract}/{stratum}-{seed}{'' if precision is FLOAT32 else f'.{precision.name}'}"


def encode(golden: Golden) -> bytes:
    """A golden's bytes: equal for equal arrays, whenever and wherever they are written."""
    return packed(golden.arrays())


def decode(content: bytes, name: str) -> Golden:
    """The golden in these bytes. Raises GoldenError, which begins with `name`, for anything else."""
    return assemble(unpacked(content, name), name)


def assemble(arrays: NamedArrays, name: str) -> Golden:
    """The golden that these arrays, by their names in the file, are. Raises GoldenError where they are none."""
    named: dict[str, dict[str, NDArray[Any]]] = {part: {} for part in _PLAIN}
    judged: dict[str, dict[Quantity, NDArray[Any]]] = {_ORACLE: {}, _BOUNDS: {}}
    texts: dict[str, Any] = {}
    for key, array in arrays.items():
        part, slash, rest = key.partition("/")
        if key in _TEXTS:
            texts[key] = _from_json(array, f"{name}: {key}")
        elif slash and rest and part in _PLAIN:
            named[part][rest] = array
        elif slash and (part in judged or is_of_stack(key)):
            judged.setdefault(part, {})[_quantity_of(rest, f"{name}: {key}")] = array
        else:
            raise GoldenError(f"{name}: expected arrays of a golden, got one named {key}")
    golden = _assembled(texts, named, judged, name)
    _check(golden, name)
    return golden


def _assembled(
    texts: Mapping[str, Any], named: Mapping[str, NamedArrays], judged: Mapping[str, Arrays], name: str
) -> Golden:
    missing = [text for text in _TEXTS if text not in texts]
    if missing:
        raise GoldenError(f"{name}: expected an array named {missing[0]}, got none")
    case = texts["case"]
    expected = {"format": int, "contract": str, "stratum": str, "seed": int, "precision": str}
    if {key: type(value) for key, value in case.items()} != expected:
        raise GoldenError(f"{name}: case: expected {', '.join(expected)}, got {_as_json(case):.200}")
    if case["format"] != FORMAT:
        raise GoldenError(f"{name}: expected a golden of format {FORMAT}, got {case['format']}")
    if case["precision"] not in PRECISIONS:
        raise GoldenError(f"{name}: case: expected one of {', '.join(PRECISIONS)}, got {case['precision']}")
    if not all(_is_number(ratio) for ratio in texts["proof"].values()):
        raise GoldenError(f"{name}: proof: expected a number for each fault, got {_as_json(texts['proof']):.200}")
    return Golden(
        contract=case["contract"],
        stratum=case["stratum"],
        seed=case["seed"],
        precision=PRECISIONS[case["precision"]],
        inputs=named["inputs"],
        cotangents=named["cotangents"],
        oracle=judged[_ORACLE],
        bounds=judged[_BOUNDS],
        outputs={stack: judged[stack] for stack in sorted(judged.keys() - _PARTS)},
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
        wanted, got = ([quantity.text for quantity in part] for part in (golden.oracle, golden.bounds))
        raise GoldenError(f"{name}: expected a bound for each of {', '.join(wanted)}, got {got}")
    for quantity, value in golden.oracle.items():
        bound = golden.bounds[quantity]
        if value.dtype not in (np.float64, np.complex128) or bound.dtype != np.float64:
            raise GoldenError(
                f"{name}: {quantity}: expected the oracle and bounds in float64, got {value.dtype} and {bound.dtype}"
            )
        if bound.shape != value.shape or not (bound >= 0).all():
            raise GoldenError(
                f"{name}: {quantity}: expected bounds of shape {value.shape}, none negative, got shape {bound.shape}"
            )
    for stack, outputs in golden.outputs.items():
        _check_outputs(golden, outputs, f"{name}: {stack}")


def _check_outputs(golden: Golden, outputs: Arrays, where: str) -> None:
    """Refuse outputs that would pass, or hold another stack to nothing: unknown, none of a result, outside the bound.

    Of a gradient there may be none: where it is 0 anyway, a framework need not have a path.
    """
    truth = golden.truth
    unknown = outputs.keys() - truth.keys()
    missing = {quantity for quantity in truth if not quantity.is_gradient} - outputs.keys()
    if unknown or missing:
        raise GoldenError(f"{where}: expected {listed(truth)}, got {listed(outputs)}")
    for quantity, output in outputs.items():
        oracle = truth[quantity]
        fault = fault_of(output, oracle)
        ratio = 0.0 if fault else distance(output, oracle.value, oracle.allowed).ratio
        if fault or not ratio <= 1:
            got = fault or f"one that is {ratio:.2g} times the bound away from the oracle"
            raise GoldenError(f"{where}, {quantity}: expected what a stack returns within its bounds, got {got}")


_FOLDERS = {"value": QuantityKind.RESULT, "gradient": QuantityKind.GRADIENT}
"""Where a quantity lies in the file: ∂/∂x would be two folders."""


def _path_of(quantity: Quantity) -> str:
    (folder,) = (folder for folder, kind in _FOLDERS.items() if kind is quantity.kind)
    return f"{folder}/{quantity.name}"


def _quantity_of(path: str, where: str) -> Quantity:
    folder, _, name = path.partition("/")
    try:
        return Quantity(_FOLDERS[folder], name)
    except (KeyError, ValueError) as error:
        raise GoldenError(f"{where}: expected value/… or gradient/…, got {path}") from error


def listed(quantities: Iterable[Quantity]) -> str:
    """Quantities in a message, in the order of their texts."""
    return ", ".join(sorted(quantity.text for quantity in quantities))


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < math.inf


def _from_json(array: NDArray[Any], where: str) -> dict[str, Any]:
    """The object that a text states as `encode` would: one text for one meaning, and nothing but Unicode."""
    if array.ndim or array.dtype.kind != "U":
        raise GoldenError(f"{where}: expected a text, got {array.dtype} of shape {array.shape}")
    try:
        text = str(array)
        value = json.loads(text)
        canonical = _as_json(value)
        canonical.encode()
    except (RecursionError, ValueError) as error:
        raise GoldenError(f"{where}: expected JSON, got {first_line(error)}") from error
    if not isinstance(value, dict):
        raise GoldenError(f"{where}: expected an object in JSON, got {type(value).__name__}")
    if text != canonical:
        raise GoldenError(f"{where}: expected JSON with sorted keys, each once, got {text:.200}")
    return value
