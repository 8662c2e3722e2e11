"""Laws of the PyTorch probes."""

import math

import pytest
import torch
from torch import Tensor

from ptycho_torch import probe

REAL = [torch.float32, torch.float64]
SIZES = [8, 9]


def rounding(tensor: Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    return operations * torch.finfo(tensor.dtype).eps * tensor.abs().max().item()


def lopsided(size: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """A probe without symmetry: a Gaussian with a random field on top."""
    width = torch.tensor(size / 4, dtype=dtype)
    noise = torch.randn(size, size, dtype=dtype.to_complex(), generator=torch.Generator().manual_seed(0))
    return probe.gaussian(size, width) * (1 + noise / 4)


def test_a_disk_holds_the_pixels_nearer_than_its_radius() -> None:
    assert probe.disk(4, 1.5).real.tolist() == [[[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]]
    assert probe.disk(3, 1.0).real.tolist() == [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]


def test_a_gaussian_falls_to_exp_minus_half_at_its_width() -> None:
    centre = probe.gaussian(9, torch.tensor(2.0, dtype=torch.float64)).real[0, 4]
    assert centre[4] == 1
    assert (centre[[2, 6]] - math.exp(-0.5)).abs().max() <= rounding(centre, 1)


@pytest.mark.parametrize("size", SIZES)
def test_generated_probes_are_centred(size: int) -> None:
    for made in (probe.disk(size, 2.7), probe.gaussian(size, 2.0)):
        assert torch.equal(made, made.flip(-1))
        assert torch.equal(made, made.flip(-2))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("size", SIZES)
def test_a_zone_plate_keeps_the_energy_of_its_pupil(size: int, dtype: torch.dtype) -> None:
    outer, stop, defocus = (torch.tensor(value, dtype=dtype) for value in (3.5, 1.2, 5.0))
    pupil = probe.disk(size, outer) - probe.disk(size, stop)
    energy = probe.zone_plate(size, outer, stop, defocus).abs().square().sum()
    assert abs(energy - pupil.real.sum()) <= rounding(energy, size * size)


def test_a_zone_plate_in_focus_peaks_in_the_middle() -> None:
    focus = probe.zone_plate(9, 3.5, 1.2, 0.0)[0].abs()
    assert divmod(focus.argmax().item(), 9) == (4, 4)
    assert probe.zone_plate(9, 3.5, 1.2, 5.0)[0].abs()[4, 4] < focus[4, 4]


@pytest.mark.parametrize(
    "make",
    [
        lambda scalar: probe.disk(6, scalar),
        lambda scalar: probe.gaussian(6, scalar),
        lambda scalar: probe.zone_plate(6, scalar, 1.0, 0.5),
        lambda scalar: probe.zone_plate(6, 2.0, scalar, 0.5),
        lambda scalar: probe.zone_plate(6, 2.0, 1.0, scalar),
    ],
)
def test_precision_follows_the_scalars(make) -> None:
    assert make(2.0).dtype == torch.complex64
    for dtype in REAL:
        assert make(torch.tensor(2.0, dtype=dtype)).dtype == dtype.to_complex()


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("size", SIZES)
def test_modes_are_orthogonal_and_share_the_energy(size: int, dtype: torch.dtype) -> None:
    single, powers = lopsided(size, dtype), torch.tensor([4.0, 2.0, 1.0, 0.5, 0.25, 0.25], dtype=dtype)
    modes = probe.orthogonal_modes(single, powers)
    gram = torch.einsum("ihw,jhw->ij", modes.conj(), modes)
    expected = torch.diag(single.abs().square().sum() * powers / powers.sum())
    # The modified Gram-Schmidt process loses orthogonality in proportion to the condition of the seeds
    # (Bjorck, BIT 7, 1967).
    seeds = probe._seeds(single[0])
    condition = torch.linalg.cond(torch.stack([seed.flatten() for seed in seeds])).item()
    assert (gram - expected).abs().max() <= rounding(expected, size * size) * condition


def test_fewer_modes_are_the_first_of_more() -> None:
    single, powers = lopsided(8), torch.ones(6, dtype=torch.float64)
    more, fewer = probe.orthogonal_modes(single, powers), probe.orthogonal_modes(single, powers[:2])
    assert (more[:2] * math.sqrt(3) - fewer).abs().max() <= rounding(fewer, 4)


def test_the_second_mode_varies_along_the_columns_of_an_even_probe() -> None:
    modes = probe.orthogonal_modes(probe.gaussian(8, 2.0), torch.ones(3))
    sign = (torch.arange(8) - 3.5).sign().expand(8, 8)
    assert torch.equal(modes[1].real.sign(), sign)
    assert torch.equal(modes[2].real.sign(), sign.T)


def test_the_mask_is_a_disk_of_a_quarter_of_the_side() -> None:
    assert torch.equal(probe.mask(probe.disk(8, 3.0)), probe.disk(8, 2.0)[0].real)
    oblong = probe.mask(torch.ones(1, 8, 10, dtype=torch.complex128))
    assert oblong.dtype == torch.float64
    assert torch.equal(oblong[:, 1:-1].float(), probe.disk(8, 2.0)[0].real)


@pytest.mark.parametrize("modes", [1, 3])
def test_a_normalised_probe_has_the_mean_asked_for(modes: int) -> None:
    several = probe.orthogonal_modes(lopsided(8), torch.ones(modes, dtype=torch.float64))
    normalized = probe.normalize(several, 4.0)
    mean = (probe.mask(normalized) * normalized).abs().mean()
    assert abs(mean - 1 / 4) <= rounding(mean, several.numel())
    ratio = normalized / several
    assert (ratio - ratio[0, 0, 0]).abs().max() <= rounding(ratio, 8)
