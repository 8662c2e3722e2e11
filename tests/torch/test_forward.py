"""The PyTorch stack from patches to the detector: what is composed, in which order, and with which weight."""

import math
import re

import pytest
import torch
from torch import Tensor

from ptycho_torch import forward, losses, optics, scaling
from ptycho_torch import patches as views

REAL = [torch.float32, torch.float64]
WEIGHTINGS = ["central", "probe", "uniform", "none"]
LOSS_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 0.125)


def real(low: float, high: float, *shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def field(*shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    return torch.complex(*(real(-1, 1, *shape, dtype=dtype, seed=seed + part) for part in (100, 200)))


def model(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Patches, positions, probe and logarithm of the scale."""
    return (
        field(2, 4, 6, 5, dtype=dtype, seed=0),
        real(-2, 2, 2, 4, 2, dtype=dtype, seed=1),
        field(3, 6, 5, dtype=dtype, seed=2),
        torch.tensor(0.75, dtype=dtype),
    )


def rounding(tensor: Tensor, operations: int) -> float:
    """What `operations` roundings, each of a number as large as the largest of `tensor`, may add up to."""
    return operations * torch.finfo(tensor.dtype).eps * tensor.abs().max().item()


def weight_of(weighting: str, images: Tensor, probe: Tensor) -> Tensor:
    weights = {
        "central": views.central_weight(images),
        "probe": (probe.real.square() + probe.imag.square()).sum(dim=0),
        "uniform": torch.ones_like(images.real[0, 0]),
    }
    return weights[weighting]


@pytest.mark.parametrize("dtype", REAL)
def test_unmerged_patches_are_lit_as_they_are(dtype: torch.dtype) -> None:
    images, _, probe, log_scale = model(dtype)
    predicted = forward.predict_amplitude(images, None, probe, log_scale, None, None, "none")
    lit = optics.far_field_amplitude(optics.illuminate(images, probe))
    assert torch.equal(predicted, scaling.apply_intensity_scale(lit, log_scale))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("weighting", ["central", "probe", "uniform"])
def test_merged_patches_are_read_off_one_object_before_they_are_lit(weighting: str, dtype: torch.dtype) -> None:
    images, positions, probe, log_scale = model(dtype)
    predicted = forward.predict_amplitude(images, positions, probe, log_scale, 10, 9, weighting)
    canvas = views.reassemble_patches(images, positions, weight_of(weighting, images, probe), 10, 9)
    merged = views.extract_patches(canvas, positions, 6, 5)
    assert torch.equal(predicted, forward.predict_amplitude(merged, None, probe, log_scale, None, None, "none"))


def test_the_weight_is_the_central_one_unless_another_is_named() -> None:
    default, central, probe, uniform, none = (
        forward.predict_amplitude(*model(), 10, 9, *named) for named in ([], *([w] for w in WEIGHTINGS))
    )
    assert torch.equal(default, central)
    assert len({prediction.sum().item() for prediction in (central, probe, uniform, none)}) == 4


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_energy_is_that_of_the_waves_on_the_scale_of_the_detector(weighting: str) -> None:
    *arguments, _ = model()
    zero = torch.tensor(0.0, dtype=torch.float64)
    one = forward.predict_amplitude(*arguments, zero, 10, 9, weighting)
    doubled = forward.predict_amplitude(*arguments, zero + math.log(2), 10, 9, weighting)
    assert (doubled - 2 * one).abs().max() <= rounding(doubled, 4)
    images, _, probe = arguments
    if weighting == "none":
        lit, seen = optics.illuminate(images, probe).abs().square().sum(), one.square().sum()
        assert abs(lit - seen) <= rounding(lit, images.numel())


def test_the_probe_is_trained_through_the_weight_as_well() -> None:
    images, positions, probe, log_scale = model()
    probe.requires_grad_()

    def slope(merge_probe: Tensor) -> Tensor:
        canvas = views.reassemble_patches(images, positions, views.probe_weight(merge_probe), 10, 9)
        merged = views.extract_patches(canvas, positions, 6, 5)
        predicted = forward.predict_amplitude(merged, None, probe, log_scale, None, None, "none")
        return torch.autograd.grad(predicted.sum(), probe)[0]

    predicted = forward.predict_amplitude(images, positions, probe, log_scale, 10, 9, "probe")
    (gradient,) = torch.autograd.grad(predicted.sum(), probe)
    assert torch.equal(gradient, slope(probe))
    assert (gradient - slope(probe.detach())).abs().max() > rounding(gradient, 10**6)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_gradients_agree_with_differences(weighting: str) -> None:
    images, _, probe, log_scale = model()
    cells = torch.tensor([[[-2.0, 1], [1, -1], [0, 0], [-1, -2]]]).expand(2, 4, 2)
    positions = cells + real(0.25, 0.75, 2, 4, 2, dtype=torch.float64, seed=3)
    arguments = tuple(leaf.clone().requires_grad_() for leaf in (images[:1], positions[:1], probe, log_scale))

    def predict(*arguments: Tensor) -> Tensor:
        return forward.predict_amplitude(*arguments, 10, 9, weighting)

    chosen = arguments if weighting != "none" else (arguments[0], arguments[1].detach(), *arguments[2:])
    torch.autograd.gradcheck(predict, chosen, fast_mode=True)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_objective_is_the_training_loss_of_the_prediction(weighting: str) -> None:
    arguments = model()
    observed = real(0, 2, 2, 4, 6, 5, dtype=torch.float64, seed=4)
    target = field(2, 4, 6, 5, dtype=torch.float64, seed=5)
    objective = forward.training_objective(*arguments, observed, target, *LOSS_WEIGHTS, 10, 9, weighting)
    predicted = forward.predict_amplitude(*arguments, 10, 9, weighting)
    assert torch.equal(objective, losses.training_loss(predicted, observed, arguments[0], target, *LOSS_WEIGHTS))


@pytest.mark.parametrize(
    ("module", "stage"),
    [
        (views, "central_weight"),
        (views, "reassemble_patches"),
        (views, "extract_patches"),
        (optics, "illuminate"),
        (optics, "far_field_amplitude"),
        (scaling, "apply_intensity_scale"),
    ],
)
def test_a_stage_that_is_replaced_takes_effect(module, stage: str, monkeypatch) -> None:
    original = getattr(module, stage)
    before = forward.predict_amplitude(*model(), 10, 9)
    monkeypatch.setattr(module, stage, lambda *arguments: 2 * original(*arguments))
    assert not torch.equal(forward.predict_amplitude(*model(), 10, 9), before)


def test_an_unknown_weighting_is_refused() -> None:
    message = "weighting: expected one of central, probe, uniform, none, got 'centre'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        forward.predict_amplitude(*model(), 10, 9, "centre")


def test_a_refusal_names_the_argument_that_is_wrong() -> None:
    images, positions, probe, log_scale = model()
    for wrong, message in [
        ((images, positions, probe.mT, log_scale, 10, 9, "probe"),
         "probe: expected (H, W) = (6, 5) as in patches, got (5, 6)"),
        ((images, positions, probe, log_scale, 4, 9, "central"),
         "rows: expected at least the 6 of patches, got 4"),
        ((images, positions + 3, probe, log_scale, 10, 9, "uniform"), "positions: expected |x| ≤ 2 and |y| ≤ 2"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            forward.predict_amplitude(*wrong)
