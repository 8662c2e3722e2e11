"""Small goldens, made of numbers alone. Loaded by path: tests are no package."""

from __future__ import annotations

import numpy as np

from parity.goldens.record import Golden, encode
from parity.judging.quantity import gradient_of, result_of
from parity.physics.precision import FLOAT32


def golden(contract="losses.mae", stratum="even", seed=0, precision=FLOAT32, size=3, value=1.0, **changes):
    """A golden with one result and one gradient; `value` is in all that it holds."""
    numbers = np.arange(1, size + 1) * value
    parts = {
        "inputs": {
            "observed": numbers.astype(precision.real),
            "field": (numbers * 1j).astype(precision.complex),
            "index": np.arange(size),
            "full": np.array(True),
        },
        "cotangents": {"mae": np.array(1.0, precision.real)},
        "oracle": {result_of("mae"): np.array(numbers.sum()), gradient_of("field"): numbers * (1 + 1j)},
        "bounds": {result_of("mae"): np.array(1e-6), gradient_of("field"): np.full(size, 1e-6)},
        "outputs": {"torch": {result_of("mae"): np.array(numbers.sum(), precision.real)}},
        "proof": {"conjugate of field": 1e5},
        "provenance": {"date": "2026-11-23", "reason": "made up"},
    }
    return Golden(contract, stratum, seed, precision, **{**parts, **changes})


def files(value=1.0):
    """Three goldens of two contracts, and a history."""
    goldens = (golden(value=value), golden(seed=1, value=value), golden("optics.diffract@2", "whole-shifts", 12))
    return {f"{one.name}.npz": encode(one) for one in goldens} | {"history.jsonl": f'{{"value": {value}}}\n'.encode()}
