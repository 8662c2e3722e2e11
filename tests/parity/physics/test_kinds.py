"""What a tensor is: layouts there and back, and the sentence with which wrong arrays are turned away."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.physics import kinds
from parity.physics.kinds import (
    AMPLITUDE,
    CANVAS,
    EXIT_WAVES,
    FLAG,
    OBJECT,
    PHASE,
    POSITIONS,
    PROBE,
    READING,
    SCALAR,
    SIZE,
    UNIT_AXIS,
    WEIGHT,
    Kind,
)
from parity.stacks import FRAMEWORKS

KINDS = {name: kind for name, kind in vars(kinds).items() if isinstance(kind, Kind)}
SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_layouts_go_there_and_back(kind, framework):
    array = np.arange(np.prod(range(2, 2 + len(kind.axes)))).reshape(range(2, 2 + len(kind.axes)))
    there = kind.to_framework(framework, array)
    assert kind.is_laid_out(framework, there)
    assert sorted(size for size in there.shape if size > 1) == sorted(array.shape)
    np.testing.assert_array_equal(kind.from_framework(framework, there), array)


@pytest.mark.parametrize(
    ("kind", "shape", "in_tensorflow"),
    [
        (AMPLITUDE, (2, 3, 4, 5), (2, 4, 5, 3)),
        (PROBE, (2, 3, 4), (3, 4, 2)),
        (EXIT_WAVES, (2, 3, 4, 5, 6), (2, 5, 6, 3, 4)),
        (WEIGHT, (2, 3), (2, 3)),
        (SCALAR, (), ()),
        (CANVAS, (2, 3, 4), (2, 3, 4, 1)),
        (POSITIONS, (2, 3, 2), (2, 1, 2, 3)),
    ],
)
def test_tensorflow_has_channels_last_and_torch_is_canonical(kind, shape, in_tensorflow):
    assert kind.to_framework("tensorflow", np.empty(shape)).shape == in_tensorflow
    assert kind.to_framework("torch", np.empty(shape)).shape == shape


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_layout_names_the_kind_s_own_axes(kind):
    assert len(set(kind.axes)) == len(kind.axes)
    assert all(sorted(layout.replace(UNIT_AXIS, "")) == sorted(kind.axes) for layout in kind.layouts.values())


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        (AMPLITUDE, np.zeros(SHAPE)),
        (AMPLITUDE, np.zeros(SHAPE, np.float32)),
        (PHASE, -np.ones(SHAPE)),
        (OBJECT, np.zeros(SHAPE, np.complex64)),
        (READING, np.zeros(SHAPE, np.uint16)),
        (READING, np.zeros(SHAPE)),
        (SIZE, np.array(8)),
        (FLAG, np.array(True)),
    ],
)
def test_what_is_of_a_kind_passes(kind, array):
    kind.check("x", array)


@pytest.mark.parametrize(
    ("kind", "array", "message"),
    [
        (
            AMPLITUDE,
            np.ones(SHAPE, np.uint16),
            "x: expected real amplitude, got uint16; integers look like counts: give the amplitude, their square root",
        ),
        (AMPLITUDE, np.ones(SHAPE, complex), "x: expected real amplitude, got complex128"),
        (AMPLITUDE, np.ones(SHAPE, bool), "x: expected real amplitude, got bool"),
        (PHASE, np.ones(SHAPE, int), "x: expected real phase, got int64"),
        (OBJECT, np.ones(SHAPE), "x: expected complex object patches, got float64"),
        (READING, np.ones(SHAPE, complex), "x: expected real or integer detector reading, got complex128"),
        (SIZE, np.array(8.0), "x: expected integer size, got float64"),
        (FLAG, np.array(1), "x: expected flag flag, got int64"),
    ],
)
def test_the_wrong_numbers(kind, array, message):
    with pytest.raises(TypeError) as caught:
        kind.check("x", array)
    assert str(caught.value) == message


def spoiled(value: float) -> NDArray[np.float64]:
    array = np.ones(SHAPE)
    array[1, 2, 0, 4] = value
    return array


@pytest.mark.parametrize(
    ("kind", "array", "message"),
    [
        (AMPLITUDE, np.ones((4, 5)), "x: expected amplitude (B, C, H, W), got shape (4, 5)"),
        (PROBE, np.ones((4, 5), complex), "x: expected probe (P, H, W), got shape (4, 5)"),
        (SCALAR, np.ones(1), "x: expected scalar (), got shape (1,)"),
        (kinds.PER_GROUP, np.array(1.0), "x: expected value of each group (B,), got shape ()"),
        (AMPLITUDE, spoiled(-0.25), "x: expected non-negative amplitude, got -0.25 at (1, 2, 0, 4)"),
        (READING, spoiled(-1).astype(np.int32), "x: expected non-negative detector reading, got -1 at (1, 2, 0, 4)"),
        (AMPLITUDE, spoiled(np.nan), "x: expected finite amplitude, got nan at (1, 2, 0, 4)"),
        (PHASE, spoiled(-np.inf), "x: expected finite phase, got -inf at (1, 2, 0, 4)"),
        (OBJECT, spoiled(np.nan).astype(complex), "x: expected finite object patches, got (nan+0j) at (1, 2, 0, 4)"),
    ],
)
def test_the_wrong_shape_or_values(kind, array, message):
    with pytest.raises(ValueError, match=r"^x: expected ") as caught:
        kind.check("x", array)
    assert str(caught.value) == message
