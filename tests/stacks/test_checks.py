"""What both stacks refuse, and in which words."""

import math

import numpy as np
import pytest

REAL = np.ones((2, 3, 4, 5), np.float32)
DOUBLE = REAL.astype(np.float64)
FIELD = REAL.astype(np.complex64)
PROBE = np.ones((1, 4, 5), np.complex64)
WAVES = np.ones((2, 3, 1, 4, 5), np.complex64)
GRID = np.ones((2, 2, 2, 4, 5), np.float32)
SCALAR, DOUBLE_SCALAR = np.array(1, np.float32), np.array(1.0)
PAIR = np.ones(2, np.float32)


def with_pixel(value: float) -> np.ndarray:
    array = REAL.copy()
    array[1, 0, 3, 4] = value
    return array


TYPES = [
    ("optics.combine_complex", (FIELD, REAL), "amplitude: expected float32 or float64, got complex64"),
    ("optics.combine_complex", (REAL, DOUBLE), "phase: expected the precision of amplitude (float32), got float64"),
    ("optics.combine_complex", (REAL.astype(np.int32), REAL),
     "amplitude: expected an amplitude (float32 or float64), got int32 "
     "(integers look like counts: take the square root)"),
    ("optics.combine_complex", (REAL, FIELD), "phase: expected float32 or float64, got complex64"),
    ("optics.illuminate", (REAL, PROBE), "patches: expected complex64 or complex128, got float32"),
    ("optics.illuminate", (FIELD, PROBE.real), "probe: expected complex64 or complex128, got float32"),
    ("optics.illuminate", (FIELD, PROBE.astype(np.complex128)),
     "probe: expected the precision of patches (complex64), got complex128"),
    ("optics.far_field_amplitude", (WAVES.real,), "exit_waves: expected complex64 or complex128, got float32"),
    ("scaling.count_photons", (FIELD,), "amplitude: expected float32, float64 or integers, got complex64"),
    ("scaling.count_photons", (REAL.astype(np.float16),),
     "amplitude: expected float32, float64 or integers, got float16"),
    ("scaling.scale_nphotons", (REAL, DOUBLE_SCALAR), "nphotons: expected float32, got float64"),
    ("scaling.scale_nphotons", (REAL, "many"), "nphotons: expected a number or a scalar tensor, got str"),
    ("scaling.apply_intensity_scale", (REAL, 1.0), "log_scale: expected a tensor, got float"),
    ("scaling.remove_intensity_scale", (REAL, DOUBLE_SCALAR),
     "log_scale: expected the precision of amplitude (float32), got float64"),
    ("scaling.remove_intensity_scale", (REAL.astype(np.uint16), SCALAR),
     "amplitude: expected an amplitude (float32 or float64), got uint16 "
     "(integers look like counts: take the square root)"),
    ("patches.central_weight", (REAL,), "patches: expected complex64 or complex128, got float32"),
    ("patches.channel_to_flat", (REAL,), "patches: expected complex64 or complex128, got float32"),
    ("patches.grid_to_channel", (GRID,), "grid: expected complex64 or complex128, got float32"),
    ("patches.trim", (REAL, 2, 3), "patches: expected complex64 or complex128, got float32"),
    ("losses.poisson_nll", (REAL, REAL.astype(np.int64)),
     "observed: expected an amplitude (float32 or float64), got int64 "
     "(integers look like counts: take the square root)"),
    ("losses.poisson_nll", (REAL, DOUBLE), "observed: expected the precision of predicted (float32), got float64"),
    ("losses.mae", (FIELD, REAL), "predicted: expected float32 or float64, got complex64"),
    ("losses.total_variation", (REAL,), "patches: expected complex64 or complex128, got float32"),
    ("losses.complex_mae", (FIELD, REAL), "target: expected complex64 or complex128, got float32"),
    ("losses.realspace_loss", (REAL, FIELD, 1.0, 1.0), "patches: expected complex64 or complex128, got float32"),
    ("losses.realspace_loss", (FIELD, REAL, 1.0, 1.0), "target: expected complex64 or complex128, got float32"),
    ("losses.realspace_loss", (FIELD, FIELD, DOUBLE_SCALAR, 1.0), "tv_weight: expected float32, got float64"),
    ("losses.training_loss", (REAL, REAL.astype(np.int64), FIELD, FIELD, *[1.0] * 5),
     "observed: expected an amplitude (float32 or float64), got int64 "
     "(integers look like counts: take the square root)"),
    ("losses.training_loss", (DOUBLE, DOUBLE, FIELD, FIELD, *[1.0] * 5),
     "patches: expected the precision of predicted (float64), got complex64"),
    ("losses.training_loss", (REAL, REAL, FIELD, FIELD, DOUBLE_SCALAR, *[1.0] * 4),
     "nll_weight: expected float32, got float64"),
    ("probe.disk", (4.5, 1.0), "size: expected a whole number, got 4.5"),
    ("probe.disk", (4, np.array(2, np.int32)), "radius: expected float32 or float64, got int32"),
    ("probe.disk", (4, np.array(2)), "radius: expected float32 or float64, got int64"),
    ("probe.zone_plate", (4, 2.0, SCALAR, DOUBLE_SCALAR), "defocus: expected float32, got float64"),
    ("probe.orthogonal_modes", (PROBE, np.ones(2)),
     "powers: expected the precision of probe (complex64), got float64"),
    ("probe.mask", (PROBE.real,), "probe: expected complex64 or complex128, got float32"),
    ("probe.normalize", (PROBE, None), "probe_scale: expected a number or a scalar tensor, got NoneType"),
]  # fmt: skip

VALUES = [
    ("optics.combine_complex", (REAL[0], REAL), "amplitude: expected axes (B, C, H, W), got shape (3, 4, 5)"),
    ("optics.combine_complex", (REAL, REAL.mT),
     "phase: expected (B, C, H, W) = (2, 3, 4, 5) as in amplitude, got (2, 3, 5, 4)"),
    ("optics.illuminate", (FIELD, PROBE[0]), "probe: expected axes (P, H, W), got shape (4, 5)"),
    ("optics.illuminate", (FIELD, PROBE[None]), "probe: expected axes (P, H, W), got shape (1, 1, 4, 5)"),
    ("optics.illuminate", (FIELD, PROBE.mT), "probe: expected (H, W) = (4, 5) as in patches, got (5, 4)"),
    ("optics.illuminate", (FIELD, PROBE[:, :1]), "probe: expected (H, W) = (4, 5) as in patches, got (1, 5)"),
    ("optics.far_field_amplitude", (FIELD,), "exit_waves: expected axes (B, C, P, H, W), got shape (2, 3, 4, 5)"),
    ("scaling.count_photons", (REAL[0],), "amplitude: expected axes (B, C, H, W), got shape (3, 4, 5)"),
    ("scaling.scale_nphotons", (REAL, PAIR), "nphotons: expected a scalar, got shape (2,)"),
    ("scaling.apply_intensity_scale", (REAL, PAIR), "log_scale: expected a scalar, got shape (2,)"),
    ("losses.poisson_nll", (REAL, REAL[:1]),
     "observed: expected (B, C, H, W) = (2, 3, 4, 5) as in predicted, got (1, 3, 4, 5)"),
    ("losses.poisson_nll", (REAL, with_pixel(-0.25)),
     "observed: expected a finite, non-negative amplitude, got -0.25 at (1, 0, 3, 4)"),
    ("losses.poisson_nll", (with_pixel(math.nan), REAL),
     "predicted: expected a finite, non-negative amplitude, got nan at (1, 0, 3, 4)"),
    ("losses.mae", (REAL, with_pixel(math.inf)),
     "observed: expected a finite, non-negative amplitude, got inf at (1, 0, 3, 4)"),
    ("losses.complex_mae", (FIELD, FIELD[:, :1]),
     "target: expected (B, C, H, W) = (2, 3, 4, 5) as in patches, got (2, 1, 4, 5)"),
    ("losses.training_loss", (REAL, REAL, FIELD[:1], FIELD[:1], *[1.0] * 5),
     "patches: expected (B, C, H, W) = (2, 3, 4, 5) as in predicted, got (1, 3, 4, 5)"),
    ("probe.gaussian", (0, 1.0), "size: expected a positive number, got 0"),
    ("probe.gaussian", (4, np.ones(3, np.float32)), "width: expected a scalar, got shape (3,)"),
    ("probe.orthogonal_modes", (PROBE.repeat(3, axis=0), PAIR), "probe: expected 1 mode, got 3"),
    ("probe.orthogonal_modes", (PROBE, np.ones(7, np.float32)), "powers: expected 1 to 6 modes, got 7"),
    ("probe.orthogonal_modes", (PROBE, PAIR[:0]),
     "powers: expected at least one element along each of (P), got shape (0,)"),
    ("losses.mae", (REAL[:0], REAL[:0]),
     "predicted: expected at least one element along each of (B, C, H, W), got shape (0, 3, 4, 5)"),
    ("sampling.sample_counts", (REAL[:, :, :0], 0),
     "intensity: expected at least one element along each of (B, C, H, W), got shape (2, 3, 0, 5)"),
    ("networks.convolve", (REAL, np.ones((0, 3, 3, 3), np.float32), PAIR[:0]),
     "kernel: expected at least one element along each of its axes, got shape (0, 3, 3, 3)"),
    ("probe.disk", (4, math.nan), "radius: expected a finite number, got nan"),
    ("losses.realspace_loss", (FIELD, FIELD, 1.0, SCALAR * np.float32(-math.inf)),
     "realspace_mae_weight: expected a finite number, got -inf"),
    ("probe.normalize", (PROBE * math.nan, 1.0), "probe: expected a finite mean modulus, got nan"),
    ("probe.normalize", (PROBE[0], 1.0), "probe: expected axes (P, H, W), got shape (4, 5)"),
]  # fmt: skip


def described(case) -> str:
    return f"{case[0]}-{case[2].partition(':')[0]}"


@pytest.mark.parametrize("case", TYPES, ids=described)
def test_wrong_types_are_refused(stack, case) -> None:
    stack.refuses(case, TypeError)


@pytest.mark.parametrize("case", VALUES, ids=described)
def test_wrong_shapes_and_values_are_refused(stack, case) -> None:
    stack.refuses(case, ValueError)


def test_an_array_is_no_tensor(stack) -> None:
    probe = np.ones(PROBE.shape if stack.name == "torch" else (4, 5, 1))
    with pytest.raises(TypeError, match=f"^{stack.worded('probe: expected a tensor, got ndarray')}$"):
        stack.module("optics").illuminate(stack.tensor(FIELD), probe)


def test_the_edges_of_the_domain_are_accepted(stack) -> None:
    losses, edge = stack.functions("losses"), with_pixel(0.0)
    edge[0, 0, 0, 0] = np.finfo(np.float32).tiny
    assert losses.mae(edge, edge) == 0


def test_numbers_of_any_kind_serve_as_scalars(stack) -> None:
    probe = stack.functions("probe")
    for one in (1, 1.0, np.float32(1), np.int64(1), SCALAR):
        assert np.array_equal(probe.normalize(PROBE, one), probe.normalize(PROBE, 1.0))
