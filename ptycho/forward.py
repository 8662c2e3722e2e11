"""From the patches that a network reconstructs to what the detector should have seen, in TensorFlow.

A composition of `ptycho.patches`, `ptycho.optics` and `ptycho.scaling`; physics of its own it has none. The
patches of a group are merged into one object and read off it again before they are lit, so that they must
agree where they overlap.
"""

import tensorflow as tf

from ptycho import checks, losses, networks, optics, scaling
from ptycho import patches as views
from ptycho_exposures.checks import refusal

WEIGHTINGS = ("central", "probe", "uniform", "none")


def predict_amplitude(
    patches: tf.Tensor,
    positions: tf.Tensor,
    probe: tf.Tensor,
    log_scale: tf.Tensor,
    rows: int | tf.Tensor,
    columns: int | tf.Tensor,
    weighting: str = "central",
) -> tf.Tensor:
    """The amplitude on the detector, exp(log_scale) times the far field of the patches under the probe.

    The patches are those of the merged object, extract_patches(reassemble_patches(patches, positions, m,
    rows, columns), positions, H, W), unless the weighting is "none".

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        positions: (B, 1, 2, C), real, pixels, [x, y], relative to the middle of the canvas.
        probe: (H, W, P), complex, normalised.
        log_scale: (), real, the natural logarithm of the intensity scale.
        rows: of the canvas, pixels.
        columns: of the canvas, pixels.
        weighting: the weight m of the merge: "central", `patches.central_weight`; "probe",
            `patches.probe_weight`, through which the gradient reaches the probe as well; "uniform", 1. With
            "none" there is no merge: patches are lit as they are, and positions, rows and columns are not
            looked at.

    Returns:
        (B, H, W, C), real, square-root photons.

    Raises:
        TypeError: an argument has the wrong type, or the precisions differ.
        ValueError: an argument has another rank, shapes differ, the weighting is unknown, a size of the
            canvas is too small or of the other parity, or a patch leaves the canvas.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(refusal("weighting", f"one of {', '.join(WEIGHTINGS)}", repr(weighting)))
    if weighting != "none":
        patches = _merged(patches, positions, _weight(patches, probe, weighting), rows, columns)
    amplitude = optics.far_field_amplitude(optics.illuminate(patches, probe))
    return scaling.apply_intensity_scale(amplitude, log_scale)


def training_objective(
    patches: tf.Tensor,
    positions: tf.Tensor,
    probe: tf.Tensor,
    log_scale: tf.Tensor,
    observed: tf.Tensor,
    target: tf.Tensor,
    nll_weight: checks.Scalar,
    mae_weight: checks.Scalar,
    realspace_weight: checks.Scalar,
    tv_weight: checks.Scalar,
    realspace_mae_weight: checks.Scalar,
    rows: int | tf.Tensor,
    columns: int | tf.Tensor,
    weighting: str = "central",
) -> tf.Tensor:
    """What training minimises, from the patches to the number: `losses.training_loss` of `predict_amplitude`.

    Args:
        patches: (B, H, W, C), complex, dimensionless; as reconstructed, not merged, in the real-space terms.
        positions: (B, 1, 2, C), real, pixels, [x, y], relative to the middle of the canvas.
        probe: (H, W, P), complex, normalised.
        log_scale: (), real, the natural logarithm of the intensity scale.
        observed: (B, H, W, C), real, square-root photons.
        target: (B, H, W, C), complex, dimensionless.
        nll_weight: a number, or a scalar of the working precision, as are all the weights.
        mae_weight: of `losses.mae`.
        realspace_weight: of `losses.realspace_loss`.
        tv_weight: of `losses.total_variation` within it.
        realspace_mae_weight: of `losses.complex_mae` within it.
        rows: of the canvas, pixels.
        columns: of the canvas, pixels.
        weighting: as in `predict_amplitude`.

    Returns:
        (), dimensionless.

    Raises:
        TypeError: an argument has the wrong type, or the precisions differ.
        ValueError: as `predict_amplitude`, or an amplitude is negative or not finite.
    """
    predicted = predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting)
    return losses.training_loss(
        predicted,
        observed,
        patches,
        target,
        nll_weight,
        mae_weight,
        realspace_weight,
        tv_weight,
        realspace_mae_weight,
    )


def reconstruction_loss(
    images: tf.Tensor,
    positions: tf.Tensor,
    probe: tf.Tensor,
    log_scale: tf.Tensor,
    observed: tf.Tensor,
    target: tf.Tensor,
    nll_weight: checks.Scalar,
    mae_weight: checks.Scalar,
    realspace_weight: checks.Scalar,
    tv_weight: checks.Scalar,
    realspace_mae_weight: checks.Scalar,
    rows: int | tf.Tensor,
    columns: int | tf.Tensor,
    weighting: str = "central",
    **parameters: tf.Tensor,
) -> tf.Tensor:
    """What training minimises, from the exposures to the number: `training_objective` of `networks.autoencode`.

    Args:
        images: (B, H, W, C), real, the exposures as the network is given them, of mean square 1/4.
        positions: (B, 1, 2, C), real, pixels, [x, y], relative to the middle of the canvas.
        probe: (H, W, P), complex, normalised.
        log_scale: (), real, the natural logarithm of the intensity scale.
        observed: (B, H, W, C), real, square-root photons: the same exposures, in photons.
        target: (B, H, W, C), complex, dimensionless.
        nll_weight: as in `training_objective`, as are the other weights.
        mae_weight: of `losses.mae`.
        realspace_weight: of `losses.realspace_loss`.
        tv_weight: of `losses.total_variation` within it.
        realspace_mae_weight: of `losses.complex_mae` within it.
        rows: of the canvas, pixels.
        columns: of the canvas, pixels.
        weighting: as in `predict_amplitude`.
        **parameters: of the network, by name, as in `networks.autoencode`.

    Returns:
        (), dimensionless.

    Raises:
        TypeError: as `training_objective`, or a parameter is missing or unknown.
        ValueError: as `training_objective`, or the frame or a parameter does not fit the network.
    """
    patches = networks.autoencode(images, **parameters)
    return training_objective(
        patches,
        positions,
        probe,
        log_scale,
        observed,
        target,
        nll_weight,
        mae_weight,
        realspace_weight,
        tv_weight,
        realspace_mae_weight,
        rows,
        columns,
        weighting,
    )


def _merged(
    patches: tf.Tensor, positions: tf.Tensor, weight: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor
) -> tf.Tensor:
    canvas = views.reassemble_patches(patches, positions, weight, rows, columns)
    height, width = (patches.shape[axis] or tf.shape(patches)[axis] for axis in (1, 2))
    return views.extract_patches(canvas, positions, height, width)


def _weight(patches: tf.Tensor, probe: tf.Tensor, weighting: str) -> tf.Tensor:
    if weighting == "probe":
        weight = views.probe_weight(probe)
        checks.require_complex("patches", patches)
        checks.require_agreement("probe", probe, "patches", patches)
        return weight
    return views.central_weight(patches) if weighting == "central" else views.uniform_weight(patches)
