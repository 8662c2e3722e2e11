"""The engine that calls functions of NumPy; those of the other frameworks have the contracts to hold them."""

import numpy as np
import pytest

from parity.stacks.worker import NumPy, Question, StackError


def question(**tensors: np.ndarray) -> Question:
    return Question(
        contract="losses.mae",
        address="losses.mae",
        tensors=tensors,
        cotangents=[np.array(1.0)],
        watched=list(tensors),
        scalars=[],
        constants={"offset": 2.0},
        mode="eager",
    )


def test_a_function_is_called_with_arrays_and_plain_numbers_and_has_no_gradients():
    call = NumPy("", "cpu").ready(lambda a, b, offset: (a + offset, b.sum()), question(a=np.arange(3.0), b=np.ones(2)))
    results, gradients = call()
    assert [NumPy("", "cpu").array(result).tolist() for result in results] == [[2.0, 3.0, 4.0], 2.0]
    assert gradients == [None, None]


def test_a_function_that_changes_its_arguments_leaves_the_questions_as_they_were():
    def add(a: np.ndarray, offset: float) -> np.ndarray:
        a += offset
        return a

    asked = question(a=np.zeros(2))
    NumPy("", "cpu").ready(add, asked)()
    assert asked.tensors["a"].tolist() == [0.0, 0.0]


def test_what_a_function_raises_is_its_own_fault():
    def fails(a: np.ndarray, offset: float) -> np.ndarray:
        raise ValueError("no such thing")

    with pytest.raises(StackError, match="raised ValueError: no such thing"):
        NumPy("", "cpu").ready(fails, question(a=np.zeros(2)))()
