"""What a tensor is: layouts there and back, and the sentence with which wrong arrays are turned away."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.physics import kinds
from parity.physics.kinds import Kind
from parity.stacks import FRAMEWORKS

KINDS = {name: kind for name, kind in vars(kinds).items() if isinstance(kind, Kind)}
SHAPE, PLACE = (2, 3, 4, 5), (1, 2, 0, 4)
AT = f"at {PLACE}"


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
        (kinds.AMPLITUDE, (2, 3, 4, 5), (2, 4, 5, 3)),
        (kinds.PROBE, (2, 3, 4), (3, 4, 2)),
        (kinds.EXIT_WAVES, (2, 3, 4, 5, 6), (2, 5, 6, 3, 4)),
        (kinds.WEIGHT, (2, 3), (2, 3)),
        (kinds.SCALAR, (), ()),
        (kinds.CANVAS, (2, 3, 4), (2, 3, 4, 1)),
        (kinds.POSITIONS, (2, 3, 2), (2, 1, 2, 3)),
    ],
)
def test_tensorflow_has_channels_last_and_torch_is_canonical(kind, shape, in_tensorflow):
    assert kind.to_framework("tensorflow", np.empty(shape)).shape == in_tensorflow
    assert kind.to_framework("torch", np.empty(shape)).shape == shape


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_layout_names_the_kind_s_own_axes(kind):
    assert len(set(kind.axes)) == len(kind.axes)
    assert all(sorted(layout.replace(kinds.UNIT_AXIS, "")) == sorted(kind.axes) for layout in kind.layouts.values())


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        (kinds.AMPLITUDE, np.zeros(SHAPE)),
        (kinds.AMPLITUDE, np.zeros(SHAPE, np.float32)),
        (kinds.PHASE, -np.ones(SHAPE)),
        (kinds.OBJECT, np.zeros(SHAPE, np.complex64)),
        (kinds.READING, np.zeros(SHAPE, np.uint16)),
        (kinds.READING, np.zeros(SHAPE)),
        (kinds.SIZE, np.array(8)),
        (kinds.FLAG, np.array(True)),
    ],
)
def test_what_is_of_a_kind_passes(kind, array):
    kind.check("x", array)


def spoiled(value: float) -> NDArray[np.float64]:
    array = np.ones(SHAPE)
    array[PLACE] = value
    return array


LIKE_COUNTS = "real amplitude, got uint16; integers look like counts: give the amplitude, their square root"


@pytest.mark.parametrize(
    ("error", "kind", "array", "said"),
    [
        (TypeError, kinds.AMPLITUDE, np.ones(SHAPE, np.uint16), LIKE_COUNTS),
        (TypeError, kinds.AMPLITUDE, np.ones(SHAPE, complex), "real amplitude, got complex128"),
        (TypeError, kinds.AMPLITUDE, np.ones(SHAPE, bool), "real amplitude, got bool"),
        (TypeError, kinds.PHASE, np.ones(SHAPE, int), "real phase, got int64"),
        (TypeError, kinds.OBJECT, np.ones(SHAPE), "complex object patches, got float64"),
        (TypeError, kinds.READING, np.ones(SHAPE, complex), "real or integer detector reading, got complex128"),
        (TypeError, kinds.SIZE, np.array(8.0), "integer size, got float64"),
        (TypeError, kinds.FLAG, np.array(1), "flag flag, got int64"),
        (ValueError, kinds.AMPLITUDE, np.ones((4, 5)), "amplitude (B, C, H, W), got shape (4, 5)"),
        (ValueError, kinds.PROBE, np.ones((4, 5), complex), "probe (P, H, W), got shape (4, 5)"),
        (ValueError, kinds.SCALAR, np.ones(1), "scalar (), got shape (1,)"),
        (ValueError, kinds.PER_GROUP, np.array(1.0), "value of each group (B,), got shape ()"),
        (ValueError, kinds.AMPLITUDE, spoiled(-0.25), f"non-negative amplitude, got -0.25 {AT}"),
        (ValueError, kinds.READING, spoiled(-1).astype(np.int32), f"non-negative detector reading, got -1 {AT}"),
        (ValueError, kinds.AMPLITUDE, spoiled(np.nan), f"finite amplitude, got nan {AT}"),
        (ValueError, kinds.PHASE, spoiled(-np.inf), f"finite phase, got -inf {AT}"),
        (ValueError, kinds.OBJECT, spoiled(np.nan).astype(complex), f"finite object patches, got (nan+0j) {AT}"),
    ],
)
def test_the_wrong_numbers_shape_or_values(error, kind, array, said):
    with pytest.raises(error, match=f"^x: expected {re.escape(said)}$"):
        kind.check("x", array)
