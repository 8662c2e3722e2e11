"""Graphs with every dimension open, and what they are held to."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf


def traced_open(function: Callable[..., Any], arguments: list[Any]) -> Callable[..., Any]:
    """The function traced for the ranks and types of the arguments."""
    tensors = [tf.convert_to_tensor(argument) for argument in arguments]
    signature = [tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in tensors]
    return tf.function(function, input_signature=signature, autograph=False)


@pytest.fixture
def one_trace_serves() -> Callable[..., None]:
    """Holds a function that is traced once to what it returns eagerly, at every size, within so many roundings."""

    def hold(function: Callable[..., Any], sizes: list[list[tf.Tensor]], roundings: Callable[[list], int]) -> None:
        traces = []
        traced = traced_open(lambda *arguments: traces.append(function) or function(*arguments), sizes[0])
        for arguments in sizes:
            pairs = zip(*(tf.nest.flatten(f(*arguments)) for f in (traced, function)), strict=True)
            for got, wanted in pairs:
                assert got.shape == wanted.shape
                values = np.asarray(wanted)
                eps = np.finfo(np.result_type(values, np.float16)).eps
                assert np.abs(got - values).max() <= roundings(arguments) * eps * np.abs(values).max()
        assert len(traces) == 1

    return hold


@pytest.fixture
def graph_refuses() -> Callable[..., None]:
    """Holds a traced function to refusing arguments when it runs."""

    def hold(function: Callable[..., Any], arguments: list[Any], message: str) -> None:
        with pytest.raises(tf.errors.InvalidArgumentError, match=re.escape(message)):
            traced_open(function, arguments)(*map(tf.convert_to_tensor, arguments))

    return hold
