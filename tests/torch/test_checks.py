"""What the PyTorch stack refuses, and in which words."""

import math
import re

import numpy as np
import pytest
import torch
from torch import Tensor

from ptycho_torch import losses, optics, patches, probe, scaling

REAL = torch.ones(2, 3, 4, 5)
FIELD = torch.ones(2, 3, 4, 5, dtype=torch.complex64)
PROBE = torch.ones(1, 4, 5, dtype=torch.complex64)
WAVES = torch.ones(2, 3, 1, 4, 5, dtype=torch.complex64)
GRID = torch.ones(2, 2, 2, 4, 5)
SCALAR = torch.tensor(1.0)


def with_pixel(value: float) -> Tensor:
    tensor = REAL.clone()
    tensor[1, 0, 3, 4] = value
    return tensor


TYPES = [
    (optics.combine_complex, (FIELD, REAL), "amplitude: expected float32 or float64, got complex64"),
    (optics.combine_complex, (REAL, REAL.double()),
     "phase: expected the precision of amplitude (float32), got float64"),
    (optics.combine_complex, (REAL.int(), REAL),
     "amplitude: expected an amplitude (float32 or float64), got int32 "
     "(integers look like counts: take the square root)"),
    (optics.combine_complex, (REAL, FIELD), "phase: expected float32 or float64, got complex64"),
    (optics.illuminate, (REAL, PROBE), "patches: expected complex64 or complex128, got float32"),
    (optics.illuminate, (FIELD, PROBE.real), "probe: expected complex64 or complex128, got float32"),
    (optics.illuminate, (FIELD, PROBE.to(torch.complex128)),
     "probe: expected the precision of patches (complex64), got complex128"),
    (optics.illuminate, (FIELD, np.ones((1, 4, 5))), "probe: expected a torch.Tensor, got ndarray"),
    (optics.far_field_amplitude, (WAVES.real,), "exit_waves: expected complex64 or complex128, got float32"),
    (scaling.count_photons, (FIELD,), "amplitude: expected float32, float64 or integers, got complex64"),
    (scaling.count_photons, (REAL.half(),), "amplitude: expected float32, float64 or integers, got float16"),
    (scaling.scale_nphotons, (REAL, SCALAR.double()), "nphotons: expected float32, got float64"),
    (scaling.scale_nphotons, (REAL, "many"), "nphotons: expected a number or a scalar torch.Tensor, got str"),
    (scaling.apply_intensity_scale, (REAL, 1.0), "log_scale: expected a torch.Tensor, got float"),
    (scaling.remove_intensity_scale, (REAL, SCALAR.double()),
     "log_scale: expected the precision of amplitude (float32), got float64"),
    (scaling.remove_intensity_scale, (REAL.to(torch.uint16), SCALAR),
     "amplitude: expected an amplitude (float32 or float64), got uint16 "
     "(integers look like counts: take the square root)"),
    (patches.central_weight, (REAL,), "patches: expected complex64 or complex128, got float32"),
    (patches.channel_to_flat, (REAL,), "patches: expected complex64 or complex128, got float32"),
    (patches.grid_to_channel, (GRID,), "grid: expected complex64 or complex128, got float32"),
    (patches.trim, (REAL, 2, 3), "patches: expected complex64 or complex128, got float32"),
    (losses.poisson_nll, (REAL, REAL.long()),
     "observed: expected an amplitude (float32 or float64), got int64 "
     "(integers look like counts: take the square root)"),
    (losses.poisson_nll, (REAL, REAL.double()),
     "observed: expected the precision of predicted (float32), got float64"),
    (losses.mae, (FIELD, REAL), "predicted: expected float32 or float64, got complex64"),
    (losses.total_variation, (REAL,), "patches: expected complex64 or complex128, got float32"),
    (losses.complex_mae, (FIELD, REAL), "target: expected complex64 or complex128, got float32"),
    (losses.realspace_loss, (REAL, FIELD, 1.0, 1.0), "patches: expected complex64 or complex128, got float32"),
    (losses.realspace_loss, (FIELD, REAL, 1.0, 1.0), "target: expected complex64 or complex128, got float32"),
    (losses.realspace_loss, (FIELD, FIELD, SCALAR.double(), 1.0), "tv_weight: expected float32, got float64"),
    (losses.training_loss, (REAL, REAL.long(), FIELD, FIELD, *[1.0] * 5),
     "observed: expected an amplitude (float32 or float64), got int64 "
     "(integers look like counts: take the square root)"),
    (losses.training_loss, (REAL.double(), REAL.double(), FIELD, FIELD, *[1.0] * 5),
     "patches: expected the precision of predicted (float64), got complex64"),
    (losses.training_loss, (REAL, REAL, FIELD, FIELD, SCALAR.double(), *[1.0] * 4),
     "nll_weight: expected float32, got float64"),
    (probe.disk, (4.5, 1.0), "size: expected a whole number, got 4.5"),
    (probe.disk, (4, torch.tensor(2)), "radius: expected float32 or float64, got int64"),
    (probe.zone_plate, (4, 2.0, SCALAR, SCALAR.double()), "defocus: expected float32, got float64"),
    (probe.orthogonal_modes, (PROBE, torch.ones(2).double()),
     "powers: expected the precision of probe (complex64), got float64"),
    (probe.mask, (PROBE.real,), "probe: expected complex64 or complex128, got float32"),
    (probe.normalize, (PROBE, None), "probe_scale: expected a number or a scalar torch.Tensor, got NoneType"),
]  # fmt: skip

VALUES = [
    (optics.combine_complex, (REAL[0], REAL), "amplitude: expected axes (B, C, H, W), got shape (3, 4, 5)"),
    (optics.combine_complex, (REAL, REAL.mT),
     "phase: expected (B, C, H, W) = (2, 3, 4, 5) as in amplitude, got (2, 3, 5, 4)"),
    (optics.illuminate, (FIELD, PROBE[0]), "probe: expected axes (P, H, W), got shape (4, 5)"),
    (optics.illuminate, (FIELD, PROBE[None]), "probe: expected axes (P, H, W), got shape (1, 1, 4, 5)"),
    (optics.illuminate, (FIELD, PROBE.mT), "probe: expected (H, W) = (4, 5) as in patches, got (5, 4)"),
    (optics.illuminate, (FIELD, PROBE[:, :1]), "probe: expected (H, W) = (4, 5) as in patches, got (1, 5)"),
    (optics.far_field_amplitude, (FIELD,),
     "exit_waves: expected axes (B, C, P, H, W), got shape (2, 3, 4, 5)"),
    (scaling.count_photons, (REAL[0],), "amplitude: expected axes (B, C, H, W), got shape (3, 4, 5)"),
    (scaling.scale_nphotons, (REAL, torch.ones(2)), "nphotons: expected a scalar, got shape (2,)"),
    (scaling.apply_intensity_scale, (REAL, torch.ones(2)), "log_scale: expected a scalar, got shape (2,)"),
    (losses.poisson_nll, (REAL, REAL[:1]),
     "observed: expected (B, C, H, W) = (2, 3, 4, 5) as in predicted, got (1, 3, 4, 5)"),
    (losses.poisson_nll, (REAL, with_pixel(-0.25)),
     "observed: expected a finite, non-negative amplitude, got -0.25 at (1, 0, 3, 4)"),
    (losses.poisson_nll, (with_pixel(math.nan), REAL),
     "predicted: expected a finite, non-negative amplitude, got nan at (1, 0, 3, 4)"),
    (losses.mae, (REAL, with_pixel(math.inf)),
     "observed: expected a finite, non-negative amplitude, got inf at (1, 0, 3, 4)"),
    (losses.complex_mae, (FIELD, FIELD[:, :1]),
     "target: expected (B, C, H, W) = (2, 3, 4, 5) as in patches, got (2, 1, 4, 5)"),
    (losses.training_loss, (REAL, REAL, FIELD[:1], FIELD[:1], *[1.0] * 5),
     "patches: expected (B, C, H, W) = (2, 3, 4, 5) as in predicted, got (1, 3, 4, 5)"),
    (probe.gaussian, (0, 1.0), "size: expected a positive number, got 0"),
    (probe.gaussian, (4, torch.ones(3)), "width: expected a scalar, got shape (3,)"),
    (probe.orthogonal_modes, (PROBE.expand(3, 4, 5), torch.ones(2)), "probe: expected 1 mode, got 3"),
    (probe.orthogonal_modes, (PROBE, torch.ones(7)), "powers: expected 1 to 6 modes, got 7"),
    (probe.orthogonal_modes, (PROBE, torch.ones(0)), "powers: expected 1 to 6 modes, got 0"),
    (probe.normalize, (PROBE[0], 1.0), "probe: expected axes (P, H, W), got shape (4, 5)"),
]  # fmt: skip


def described(case) -> str:
    function, _, message = case
    return f"{function.__name__}-{message.partition(':')[0]}"


@pytest.mark.parametrize("case", TYPES, ids=described)
def test_wrong_types_are_refused(case) -> None:
    function, arguments, message = case
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        function(*arguments)


@pytest.mark.parametrize("case", VALUES, ids=described)
def test_wrong_shapes_and_values_are_refused(case) -> None:
    function, arguments, message = case
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(*arguments)


def test_the_edges_of_the_domain_are_accepted() -> None:
    edge = with_pixel(0.0)
    edge[0, 0, 0, 0] = torch.finfo(torch.float32).tiny
    assert losses.mae(edge, edge) == 0
    assert losses.poisson_nll(REAL[:0], REAL[:0]).shape == (0,)


def test_numbers_of_any_kind_serve_as_scalars() -> None:
    for one in (1, 1.0, np.float32(1), np.int64(1), SCALAR):
        assert torch.equal(probe.normalize(PROBE, one), probe.normalize(PROBE, 1.0))
