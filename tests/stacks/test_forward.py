"""From patches to the detector: what is composed, in which order, and with which weight."""

import math

import numpy as np
import pytest

REAL = [np.float32, np.float64]
WEIGHTINGS = ["central", "probe", "uniform", "none"]
LOSS_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 0.125)


@pytest.fixture
def forward(stack):
    return stack.functions("forward")


@pytest.fixture
def views(stack):
    return stack.functions("patches")


@pytest.fixture
def optics(stack):
    return stack.functions("optics")


def real(low: float, high: float, *shape: int, dtype: type = np.float64, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(dtype)


def field(*shape: int, dtype: type = np.float64, seed: int) -> np.ndarray:
    parts = (real(-1, 1, *shape, dtype=dtype, seed=seed + part) for part in (100, 200))
    return next(parts) + np.array(1j, np.result_type(dtype, np.complex64)) * next(parts)


def model(dtype: type = np.float64) -> tuple[np.ndarray, ...]:
    """Patches, positions, probe and logarithm of the scale."""
    return (
        field(2, 4, 6, 5, dtype=dtype, seed=0),
        real(-2, 2, 2, 4, 2, dtype=dtype, seed=1),
        field(3, 6, 5, dtype=dtype, seed=2),
        np.array(0.75, dtype),
    )


def weight_of(weighting: str, views, images: np.ndarray, probe: np.ndarray) -> np.ndarray:
    weights = {
        "central": views.central_weight(images),
        "probe": views.probe_weight(probe),
        "uniform": np.ones_like(images.real[0, 0]),
    }
    return weights[weighting]


@pytest.mark.parametrize("dtype", REAL)
def test_unmerged_patches_are_lit_as_they_are(stack, forward, optics, dtype: type) -> None:
    images, _, probe, log_scale = model(dtype)
    predicted = forward.predict_amplitude(images, None, probe, log_scale, None, None, "none")
    lit = optics.far_field_amplitude(optics.illuminate(images, probe))
    assert np.array_equal(predicted, stack.functions("scaling").apply_intensity_scale(lit, log_scale))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("weighting", ["central", "probe", "uniform"])
def test_merged_patches_are_read_off_one_object_before_they_are_lit(
    forward, views, weighting: str, dtype: type
) -> None:
    images, positions, probe, log_scale = model(dtype)
    predicted = forward.predict_amplitude(images, positions, probe, log_scale, 10, 9, weighting)
    canvas = views.reassemble_patches(images, positions, weight_of(weighting, views, images, probe), 10, 9)
    merged = views.extract_patches(canvas, positions, 6, 5)
    lit = forward.predict_amplitude(merged, None, probe, log_scale, None, None, "none")
    assert np.array_equal(predicted, lit)


def test_the_weight_is_the_central_one_unless_another_is_named(forward) -> None:
    default, central, probe, uniform, none = (
        forward.predict_amplitude(*model(), 10, 9, *named) for named in ([], *([w] for w in WEIGHTINGS))
    )
    assert np.array_equal(default, central)
    assert len({float(prediction.sum()) for prediction in (central, probe, uniform, none)}) == 4


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_energy_is_that_of_the_waves_on_the_scale_of_the_detector(
    forward, optics, rounding, weighting: str
) -> None:
    *arguments, _ = model()
    one = forward.predict_amplitude(*arguments, np.array(0.0), 10, 9, weighting)
    doubled = forward.predict_amplitude(*arguments, np.array(math.log(2)), 10, 9, weighting)
    assert np.abs(doubled - 2 * one).max() <= rounding(doubled, 4)
    images, _, probe = arguments
    if weighting == "none":
        lit, seen = (np.abs(optics.illuminate(images, probe)) ** 2).sum(), (one**2).sum()
        assert abs(lit - seen) <= rounding(lit, images.size)


def test_the_probe_is_trained_through_the_weight_as_well(stack, forward, views, rounding) -> None:
    images, positions, probe, log_scale = model()
    fixed = views.probe_weight(probe)

    def lit(probe, weight):
        canvas = views.reassemble_patches(stack.tensor(images), positions, weight, 10, 9)
        merged = views.extract_patches(canvas, positions, 6, 5)
        return forward.predict_amplitude(merged, None, probe, log_scale, None, None, "none")

    def predicted(probe):
        return forward.predict_amplitude(images, positions, probe, log_scale, 10, 9, "probe")

    (gradient,) = stack.gradients(predicted, probe)
    (through,) = stack.gradients(lambda probe: lit(probe, views.probe_weight(probe)), probe)
    (beside,) = stack.gradients(lambda probe: lit(probe, fixed), probe)
    assert np.array_equal(gradient, through)
    assert np.abs(gradient - beside).max() > rounding(gradient, 10**6)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_objective_is_the_training_loss_of_the_prediction(stack, forward, weighting: str) -> None:
    arguments = model()
    observed, target = real(0, 2, 2, 4, 6, 5, seed=4), field(2, 4, 6, 5, seed=5)
    objective = forward.training_objective(*arguments, observed, target, *LOSS_WEIGHTS, 10, 9, weighting)
    predicted = forward.predict_amplitude(*arguments, 10, 9, weighting)
    training_loss = stack.functions("losses").training_loss
    assert objective == training_loss(predicted, observed, arguments[0], target, *LOSS_WEIGHTS)


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("patches", "central_weight"),
        ("patches", "reassemble_patches"),
        ("patches", "extract_patches"),
        ("optics", "illuminate"),
        ("optics", "far_field_amplitude"),
        ("scaling", "apply_intensity_scale"),
    ],
)
def test_a_stage_that_is_replaced_takes_effect(stack, forward, file: str, stage: str, monkeypatch) -> None:
    module = stack.module(file)
    original = getattr(module, stage)
    before = forward.predict_amplitude(*model(), 10, 9)
    monkeypatch.setattr(module, stage, lambda *arguments: 2 * original(*arguments))
    assert not np.array_equal(forward.predict_amplitude(*model(), 10, 9), before)


def test_an_unknown_weighting_is_refused(stack) -> None:
    message = "weighting: expected one of central, probe, uniform, none, got 'centre'"
    stack.refuses(("forward.predict_amplitude", (*model(), 10, 9, "centre"), message), ValueError)


def test_a_refusal_names_the_argument_that_is_wrong(stack) -> None:
    images, positions, probe, log_scale = model()
    for wrong, message in [
        ((images, positions, probe.mT, log_scale, 10, 9, "probe"),
         "probe: expected (H, W) = (6, 5) as in patches, got (5, 6)"),
        ((images, positions, probe, log_scale, 4, 9, "central"),
         "rows: expected at least the 6 of patches, got 4"),
        ((images, positions + 3, probe, log_scale, 10, 9, "uniform"), "positions: expected |x| ≤ 2 and |y| ≤ 2"),
    ]:  # fmt: skip
        stack.refuses(("forward.predict_amplitude", wrong, message), ValueError, whole=False)
