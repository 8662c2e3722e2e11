"""From the patches that a network reconstructs to what the detector should have seen, in PyTorch.

A composition of `ptycho_torch.patches`, `ptycho_torch.optics` and `ptycho_torch.scaling`; physics of its own
it has none. The patches of a group are merged into one object and read off it again before they are lit, so
that they must agree where they overlap.
"""

from torch import Tensor

from ptycho_exposures.checks import refusal
from ptycho_torch import checks, losses, networks, optics, scaling
from ptycho_torch import patches as views

WEIGHTINGS = ("central", "probe", "uniform", "none")


def predict_amplitude(
    patches: Tensor,
    positions: Tensor,
    probe: Tensor,
    log_scale: Tensor,
    rows: int,
    columns: int,
    weighting: str = "central",
) -> Tensor:
    """The amplitude on the detector, exp(log_scale) times the far field of the patches under the probe.

    The patches are those of the merged object, extract_patches(reassemble_patches(patches, positions, m,
    rows, columns), positions, H, W), unless the weighting is "none".

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        positions: (B, C, 2), real, pixels, [x, y], relative to the middle of the canvas.
        probe: (P, H, W), complex, normalised.
        log_scale: (), real, the natural logarithm of the intensity scale.
        rows: of the canvas, pixels.
        columns: of the canvas, pixels.
        weighting: the weight m of the merge: "central", `patches.central_weight`; "probe",
            `patches.probe_weight`, through which the gradient reaches the probe as well; "uniform", 1. With
            "none" there is no merge: patches are lit as they are, and positions, rows and columns are not
            looked at.

    Returns:
        (B, C, H, W), real, square-root photons.

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
    patches: Tensor,
    positions: Tensor,
    probe: Tensor,
    log_scale: Tensor,
    observed: Tensor,
    target: Tensor,
    nll_weight: checks.Scalar,
    mae_weight: checks.Scalar,
    realspace_weight: checks.Scalar,
    tv_weight: checks.Scalar,
    realspace_mae_weight: checks.Scalar,
    rows: int,
    columns: int,
    weighting: str = "central",
) -> Tensor:
    """What training minimises, from the patches to the number: `losses.training_loss` of `predict_amplitude`.

    Args:
        patches: (B, C, H, W), complex, dimensionless; as reconstructed, not merged, in the real-space terms.
        positions: (B, C, 2), real, pixels, [x, y], relative to the middle of the canvas.
        probe: (P, H, W), complex, normalised.
        log_scale: (), real, the natural logarithm of the intensity scale.
        observed: (B, C, H, W), real, square-root photons.
        target: (B, C, H, W), complex, dimensionless.
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
    images: Tensor,
    positions: Tensor,
    probe: Tensor,
    log_scale: Tensor,
    observed: Tensor,
    target: Tensor,
    nll_weight: checks.Scalar,
    mae_weight: checks.Scalar,
    realspace_weight: checks.Scalar,
    tv_weight: checks.Scalar,
    realspace_mae_weight: checks.Scalar,
    rows: int,
    columns: int,
    weighting: str = "central",
    **parameters: Tensor,
) -> Tensor:
    """What training minimises, from the exposures to the number: `training_objective` of `networks.autoencode`.

    Args:
        images: (B, C, H, W), real, the exposures as the network is given them, of mean square 1/4.
        positions: (B, C, 2), real, pixels, [x, y], relative to the middle of the canvas.
        probe: (P, H, W), complex, normalised.
        log_scale: (), real, the natural logarithm of the intensity scale.
        observed: (B, C, H, W), real, square-root photons: the same exposures, in photons.
        target: (B, C, H, W), complex, dimensionless.
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


def _merged(patches: Tensor, positions: Tensor, weight: Tensor, rows: int, columns: int) -> Tensor:
    canvas = views.reassemble_patches(patches, positions, weight, rows, columns)
    return views.extract_patches(canvas, positions, patches.shape[-2], patches.shape[-1])


def _weight(patches: Tensor, probe: Tensor, weighting: str) -> Tensor:
    if weighting == "probe":
        weight = views.probe_weight(probe)
        checks.require_complex("patches", patches)
        checks.require_agreement("probe", probe, "patches", patches)
        return weight
    return views.central_weight(patches) if weighting == "central" else views.uniform_weight(patches)
