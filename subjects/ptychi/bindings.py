"""Binds contracts to ptychi 2.2.0: frames without groups, positions [row, column], zero frequency in the corner."""

import torch
from parity_binding import Outside, binds
from ptychi import image_proc, maths
from ptychi.forward_models import PtychographyPoissonNoiseModel
from ptychi.propagate import FourierPropagator

NLL = {
    "intensity": ("predicted", "observed"),
    "dropped": "log k!",
    "reduction": "mean CHW",
    "unasked": ("observed",),
}


@binds("optics.far_field_amplitude", intensity=("amplitude",), corner=("amplitude",))
def far_field_amplitude(exit_waves):
    waves = FourierPropagator(norm="ortho").propagate_forward(exit_waves.flatten(0, 1))
    return waves.abs().square().sum(1).reshape(exit_waves[:, :, 0].shape)


@binds("losses.poisson_nll", **NLL)
def poisson_nll(predicted, observed, full):
    nll = PtychographyPoissonNoiseModel().nll
    return torch.stack([nll(rate, count) for rate, count in zip(predicted, observed)])


@binds("losses.poisson_nll", name="backward_to_psi_far", **NLL)
def poisson_nll_by_its_own_slope(predicted, observed, full):
    if (predicted == 0).any():
        raise Outside("no intensity is 0 where ε is 0")
    return _OwnSlope.apply(predicted, observed)


@binds("patches.pad")
def pad(patches, rows, columns):
    return image_proc.central_pad(patches, (rows, columns))


@binds("patches.trim")
def trim(patches, rows, columns):
    return image_proc.central_crop(patches, (rows, columns))


@binds("patches.translate", row_column=("positions",))
def translate(patches, positions):
    reach = int(positions.detach().abs().max().ceil()) + 1
    framed = torch.nn.functional.pad(patches.flatten(0, 1), (reach,) * 4)
    moved = image_proc.bilinear_shift(framed, positions.flatten(0, 1))
    return moved[:, reach:-reach, reach:-reach].reshape(patches.shape)


@binds("patches.extract_patches", row_column=("positions",), negated=("positions",))
def extract_patches(canvas, positions, rows, columns):
    centres = _centres(positions, canvas.shape[1:], (rows, columns))
    cut = image_proc.extract_patches_bilinear_shift
    return torch.stack([cut(image, at, (rows, columns)) for image, at in zip(canvas, centres)])


@binds("patches.reassemble_patches", row_column=("positions",), negated=("positions",))
def reassemble_patches(patches, positions, weight, rows, columns):
    centres = _centres(positions, (rows, columns), patches.shape[-2:])

    def placed(frames, at):
        return image_proc.place_patches_bilinear_shift(frames.new_zeros(rows, columns), at, frames)

    weights = weight.expand(patches.shape)
    return torch.stack(
        [placed(group * m, at) / (placed(m, at) + 1e-3) for group, m, at in zip(patches, weights, centres)]
    )


@binds("probe.orthogonal_modes")
def orthogonal_modes(probe, powers):
    size, orders = probe.shape[-1], ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))
    x = (torch.arange(size, dtype=powers.dtype) - (size - 1) / 2) / size
    raw = torch.stack([probe[0] * x**across * x[:, None] ** down for across, down in orders[: len(powers)]])
    modes = maths.orthogonalize_gs(raw, dim=(-2, -1), group_dim=0)
    energies = modes.abs().square().sum((-2, -1))
    return modes * (powers / powers.sum() * energies[0] / energies).sqrt()[:, None, None]


class _OwnSlope(torch.autograd.Function):
    """The likelihood with the gradient that the package derives by hand: ∂/∂ψ̄ of waves ψ is ψ·∂/∂I, here at ψ = 1."""

    @staticmethod
    def forward(context, predicted, observed):
        context.save_for_backward(predicted, observed)
        return poisson_nll(predicted, observed, None)

    @staticmethod
    def backward(context, cotangent):
        predicted, observed = context.saved_tensors
        rates, counts = predicted.flatten(0, 1), observed.flatten(0, 1)
        slope = PtychographyPoissonNoiseModel(eps=0).backward_to_psi_far(rates, counts, torch.ones_like(rates)[:, None])
        return cotangent[:, None, None, None] / predicted[0].numel() * slope.reshape(predicted.shape), None


def _centres(positions, canvas, window):
    """Where windows lie in a canvas, [row, column] (B, C, 2): half their sides after their first pixels."""
    margin, sides = (positions.new_tensor(pixels) for pixels in ([c - w for c, w in zip(canvas, window)], window))
    centres = margin / 2 + positions + sides / 2
    corners = centres - sides / 2
    if (corners < 0).any() or (corners.floor() + 1 > margin).any():
        raise Outside("a window, and the line of pixels after it, lie in the object")
    return centres
