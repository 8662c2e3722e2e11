"""From object patches to what the detector is predicted to see, and what that prediction costs."""

from __future__ import annotations

from typing import Any

from parity.physics.oracle.bounded import Array
from parity.physics.oracle.losses import training_loss, training_loss_vjp
from parity.physics.oracle.networks import autoencode, autoencode_vjp
from parity.physics.oracle.optics import far_field_amplitude, far_field_amplitude_vjp, illuminate, illuminate_vjp
from parity.physics.oracle.patches import (
    central_weight,
    extract_patches,
    extract_patches_vjp,
    probe_weight,
    probe_weight_vjp,
    reassemble_patches,
    reassemble_patches_vjp,
    uniform_weight,
)
from parity.physics.oracle.scaling import apply_intensity_scale, apply_intensity_scale_vjp


def predict_amplitude(
    patches: Array,
    positions: Array,
    probe: Array,
    log_scale: Array,
    rows: int,
    columns: int,
    weighting: str = "central",
) -> Any:
    """Â (B, C, H, W) of patches (B, C, H, W): merged into a canvas, cut out again, lit, propagated and scaled.

    Under `weighting` "none" patches do not constrain each other: they are lit as they are.
    """
    views = _views(patches, positions, probe, rows, columns, weighting)
    return apply_intensity_scale(far_field_amplitude(illuminate(views, probe)), log_scale)


def predict_amplitude_vjp(
    cotangent: Array,
    patches: Array,
    positions: Array,
    probe: Array,
    log_scale: Array,
    rows: int,
    columns: int,
    weighting: str = "central",
) -> tuple[Any, Any, Any, Any]:
    """Gradients of `patches`, `positions`, `probe` and `log_scale`: the chain of the stages'."""
    views = _views(patches, positions, probe, rows, columns, weighting)
    waves = illuminate(views, probe)
    of_amplitude, of_log_scale = apply_intensity_scale_vjp(cotangent, far_field_amplitude(waves), log_scale)
    (of_waves,) = far_field_amplitude_vjp(of_amplitude, waves)
    of_views, of_probe = illuminate_vjp(of_waves, views, probe)
    if weighting == "none":
        return of_views, 0 * positions, of_probe, of_log_scale
    weight = _weight(patches, probe, weighting)
    canvas = reassemble_patches(patches, positions, weight, rows, columns)
    of_canvas, by_cutting = extract_patches_vjp(of_views, canvas, positions, *patches.shape[-2:])
    of_patches, by_merging, of_weight = reassemble_patches_vjp(of_canvas, patches, positions, weight, rows, columns)
    if weighting == "probe":
        of_probe = of_probe + probe_weight_vjp(of_weight, probe)[0]
    return of_patches, by_cutting + by_merging, of_probe, of_log_scale


def training_objective(
    patches: Array,
    positions: Array,
    probe: Array,
    log_scale: Array,
    observed: Array,
    target: Array,
    nll_weight: Array,
    mae_weight: Array,
    realspace_weight: Array,
    tv_weight: Array,
    realspace_mae_weight: Array,
    rows: int,
    columns: int,
    weighting: str = "central",
) -> Any:
    """The training loss, (), of the predicted amplitude and of the patches it was predicted from."""
    predicted = predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting)
    weights = (nll_weight, mae_weight, realspace_weight, tv_weight, realspace_mae_weight)
    return training_loss(predicted, observed, patches, target, *weights)


def training_objective_vjp(cotangent: Array, **arguments: Any) -> tuple[Any, ...]:
    """Gradients of `patches`, through prediction and real-space terms, `positions`, `probe`, `log_scale`, `observed`
    and `target`; the arguments are those of `training_objective`, every one by its name."""
    seen = {name: arguments.pop(name) for name in ("positions", "probe", "log_scale", "rows", "columns", "weighting")}
    predicted = predict_amplitude(arguments["patches"], **seen)
    of_predicted, of_observed, in_real_space, of_target = training_loss_vjp(cotangent, predicted, **arguments)
    of_patches, *of_light = predict_amplitude_vjp(of_predicted, arguments["patches"], **seen)
    return of_patches + in_real_space, *of_light, of_observed, of_target


def reconstruction_loss(
    images: Array,
    positions: Array,
    probe: Array,
    log_scale: Array,
    observed: Array,
    target: Array,
    nll_weight: Array,
    mae_weight: Array,
    realspace_weight: Array,
    tv_weight: Array,
    realspace_mae_weight: Array,
    rows: int,
    columns: int,
    weighting: str = "central",
    **parameters: Array,
) -> Any:
    """The training objective, (), of the patches that the autoencoder makes of images (B, C, H, W)."""
    weights = (nll_weight, mae_weight, realspace_weight, tv_weight, realspace_mae_weight)
    patches = autoencode(images, **parameters)
    return training_objective(
        patches, positions, probe, log_scale, observed, target, *weights, rows, columns, weighting
    )


def reconstruction_loss_vjp(cotangent: Array, images: Array, **arguments: Any) -> tuple[Any, ...]:
    """Gradients of what training learns, `probe`, `log_scale` and the network's parameters in their order; the
    arguments are those of `reconstruction_loss`, every one by its name."""
    parameters = {name: arguments.pop(name) for name in (*arguments,) if name.endswith(("_kernel", "_bias"))}
    patches = autoencode(images, **parameters)
    of_patches, _, of_probe, of_log_scale, *_ = training_objective_vjp(cotangent, patches=patches, **arguments)
    _, *of_parameters = autoencode_vjp(of_patches, images, **parameters)
    return of_probe, of_log_scale, *of_parameters


def _views(patches: Array, positions: Array, probe: Array, rows: int, columns: int, weighting: str) -> Any:
    """The patches as their neighbours in the group see them, (B, C, H, W)."""
    if weighting == "none":
        return patches
    weight = _weight(patches, probe, weighting)
    canvas = reassemble_patches(patches, positions, weight, rows, columns)
    return extract_patches(canvas, positions, *patches.shape[-2:])


def _weight(patches: Array, probe: Array, weighting: str) -> Any:
    """The weight of a merge, (H, W)."""
    if weighting == "probe":
        return probe_weight(probe)
    return {"central": central_weight, "uniform": uniform_weight}[weighting](patches)
