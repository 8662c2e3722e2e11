"""Binds contracts of ptycho-parity to `ptycho_torch`: modes first, windows at [row, column], optics in photons."""

import torch
from parity_binding import Outside, binds

from ptycho_torch import detector, model, optics, scanning
from ptycho_torch.nn import losses

WINDOWS = {"row_column": ("positions",), "negated": ("positions",)}
"""Positions are where windows lie, [row, column], rather than how content moves, [x, y]."""


@binds("losses.mae")
def mae(predicted, observed):
    return losses.AmplitudeL1()(observed, predicted)


@binds("losses.mae", name="AmplitudeL1_none")
def mean_of_errors(predicted, observed):
    return losses.AmplitudeL1("none")(observed, predicted).mean()


@binds("losses.absolute_error")
def absolute_error(predicted, observed):
    return losses.AmplitudeL1("none")(observed, predicted)


@binds("losses.poisson_nll")
def poisson_nll(predicted, observed, full):
    return losses.PoissonLikelihood(constant=full)(observed, predicted)


@binds("losses.total_variation")
def total_variation(patches):
    return losses.Roughness()(torch.stack([patches.real, patches.imag], 2))


@binds("optics.combine_complex")
def combine_complex(amplitude, phase):
    return optics.transmission(amplitude, phase)


@binds("optics.illuminate")
def illuminate(patches, probe):
    return optics.expose(probe, patches).movedim(0, 2)


@binds("optics.far_field_amplitude", intensity=("amplitude",))
def far_field_amplitude(exit_waves):
    _require_even(exit_waves)
    return optics.detect(exit_waves.movedim(2, 0))


@binds("patches.central_weight")
def central_weight(patches):
    return scanning.central(*patches.shape[-2:]).to(patches.real.dtype)


@binds("patches.probe_weight")
def probe_weight(probe):
    return optics.brightness(probe)


@binds("patches.relative_positions", row_column=("positions", "relative"), negated=("relative",))
def relative_positions(positions):
    return scanning.relative(positions)


@binds("patches.translate", **WINDOWS)
def translate(patches, positions):
    return scanning.look(patches, positions, patches.shape[-2:])


@binds("patches.extract_patches", **WINDOWS)
def extract_patches(canvas, positions, rows, columns):
    images = canvas[:, None].expand(-1, positions.shape[1], -1, -1)
    return scanning.look(images, positions, (rows, columns))


@binds("patches.reassemble_patches", unasked=("weight",), **WINDOWS)
def reassemble_patches(patches, positions, weight, rows, columns):
    return scanning.stitch(patches, weight, positions, (rows, columns))


@binds("scaling.count_photons", intensity=("amplitude",))
def count_photons(amplitude):
    return detector.photons(_real(amplitude))


@binds("scaling.scale_nphotons")
def scale_nphotons(amplitude, nphotons):
    return detector.dose_ratio(_real(amplitude) ** 2, nphotons).sqrt()


@binds("scaling.apply_intensity_scale")
def apply_intensity_scale(amplitude, log_scale):
    return detector.amplify(amplitude, 2 * log_scale)


@binds("scaling.remove_intensity_scale")
def remove_intensity_scale(amplitude, log_scale):
    return detector.attenuate(amplitude, 2 * log_scale)


@binds("forward.predict_amplitude", **WINDOWS)
def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    _require_even(patches)
    if weighting == "probe":
        raise Outside("no gradient passes through the weight of a merge")
    frame = patches.shape[-2:]
    weight = {"none": None, "central": scanning.central(*frame), "uniform": torch.ones(frame)}[weighting]
    return model.Simulator(probe, (rows, columns), weight)(patches, positions, 2 * log_scale)


def _require_even(frames):
    if any(side % 2 for side in frames.shape[-2:]):
        raise Outside("the sides of a frame are even")


def _real(reading):
    return reading if reading.is_floating_point() else reading.double()
