"""Binds contracts to cdtools 0.3.2: windows at their first pixel [row, column], intensities, every ε 0."""

import torch
from cdtools.tools import initializers, interactions, losses, measurements, propagators
from parity_binding import Outside, binds

INTENSITIES = {"intensity": ("predicted", "observed"), "unasked": ("observed",)}


@binds("optics.illuminate")
def illuminate(patches, probe):
    return _exit_waves(patches, probe)


@binds("optics.far_field_amplitude", intensity=("amplitude",))
def far_field_amplitude(exit_waves):
    return measurements.incoherent_sum(propagators.far_field(exit_waves), epsilon=0)


@binds("losses.poisson_nll", **INTENSITIES, dropped="log k!")
def poisson_nll(predicted, observed, full):
    return _nll(predicted, observed)


@binds("losses.poisson_nll", name="losses.subtract_min", **INTENSITIES, dropped="saturated")
def poisson_nll_above_its_least(predicted, observed, full):
    return _nll(predicted, observed, subtract_min=True)


@binds("patches.extract_patches")
def extract_patches(canvas, positions, rows, columns):
    corners = _corners(canvas, positions, rows, columns)
    whole = canvas.new_ones(rows, columns)
    linear = interactions.ptycho_2D_linear
    return torch.stack([linear(whole, one, at, shift_probe=False) for one, at in zip(canvas, corners)])


@binds("patches.probe_weight")
def probe_weight(probe):
    return measurements.incoherent_sum(probe, epsilon=0)


@binds("probe.gaussian")
def gaussian(size, width):
    return initializers.gaussian((size, size), (float(width), float(width)))[None]


@binds("forward.predict_amplitude", unasked=("positions",))
def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    if weighting != "none":
        raise Outside("nothing merges patches")
    waves = propagators.far_field(_exit_waves(patches, probe))
    return _root(measurements.incoherent_sum(waves, epsilon=0)) * log_scale.exp()


def _nll(rates, counts, **options):
    if (rates == 0).any():
        raise Outside("no intensity is 0 where ε is 0")
    return torch.stack([losses.poisson_nll(*pair, eps=0, **options) for pair in zip(counts, rates)])


def _exit_waves(patches, probe):
    """Waves (B, C, P, H, W): the patches stand one below the other in an object that is cut at whole pixels."""
    (groups, channels, height, _), column = patches.shape, patches.reshape(-1, patches.shape[-1])
    corners = torch.tensor([[height * n, 0] for n in range(groups * channels)])
    waves = interactions.ptycho_2D_round(probe, column, corners, multiple_modes=True)
    return waves.reshape(groups, channels, *probe.shape)


def _corners(canvas, positions, rows, columns):
    """First pixels [row, column] (B, C, 2) of windows: the package's windows, and a line after each, are inside."""
    margin = positions.new_tensor([canvas.shape[1] - rows, canvas.shape[2] - columns])
    corners = margin / 2 - positions.flip(-1)
    if (corners < 0).any() or (corners.floor() + 1 > margin).any():
        raise Outside("a window, and the line of pixels after it, lie in the object")
    return corners


def _root(intensity):
    """The amplitude, with the slope 0 where it is 0."""
    lit = intensity > 0
    return intensity.where(lit, 1).sqrt().where(lit, 0)
