"""Binds contracts to xptycho 0.1.0: square windows at whole first pixels [row, column], amplitudes."""

import torch
import xptycho
from parity_binding import Outside, binds
from xptycho import operators


@binds("optics.far_field_amplitude", intensity=("amplitude",))
def far_field_amplitude(exit_waves):
    return operators.fft2c(exit_waves).abs().square().sum(2)


@binds("patches.extract_patches")
def extract_patches(canvas, positions, rows, columns):
    framed, below = torch.nn.functional.pad(canvas, (1,) * 4), positions.detach().floor()
    views, fraction = 0, positions - below
    for at, weight in _whole(-below, fraction, 1 - fraction, framed.shape[1:], (rows, columns)):
        cut = [operators.gather_patches(image, starts, rows) for image, starts in zip(framed, at)]
        views = views + weight * torch.stack(cut)
    return views


@binds("patches.reassemble_patches")
def reassemble_patches(patches, positions, weight, rows, columns):
    canvas, below = (rows + 2, columns + 2), (-positions.detach()).floor()
    fraction = -positions - below

    def merged(frames):
        canvases = [frames.new_zeros(canvas) for _ in frames]
        for at, share in _whole(below + 1, 1 - fraction, fraction, canvas, frames.shape[-2:]):
            for one, starts, views in zip(canvases, at, share * frames):
                operators.scatter_patches(views, starts, one)
        return torch.stack(canvases)[:, 1:-1, 1:-1]

    return merged(weight * patches) / (merged(weight.expand(patches.shape)) + 1e-3)


@binds("forward.predict_amplitude", unasked=("patches", "positions", "probe", "log_scale"))
def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    if weighting != "none":
        raise Outside("nothing merges patches")
    groups, channels, height, width = patches.shape
    if height != width or height % 2:
        raise Outside("frames are square, of an even side")
    column, probe = patches.detach().reshape(-1, width), probe.detach()
    centres = [[height * n + height // 2, height // 2] for n in range(groups * channels)]
    model = xptycho.PtychoModel(
        wavelength=1, det_distance=1, det_pixel_pitch=1 / height, frame_size=height, probe_positions=centres
    )
    return torch.from_numpy(model.forward(column, probe)).reshape(patches.shape) * log_scale.exp()


def _whole(far, near_weight, far_weight, canvas, window):
    """First pixels [row, column] of the four whole windows round a fractional position [x, y], with bilinear weights.

    `far` is how the last of them lies from the middle of the canvas, which has an empty line around it.
    """
    if window[0] != window[1]:
        raise Outside("windows are square")
    middle = torch.tensor([outer - inner for outer, inner in zip(canvas, window)]) // 2
    far, weights = far.flip(-1).long() + middle, [weight.flip(-1) for weight in (near_weight, far_weight)]
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        yield far - 1 + torch.tensor([y, x]), (weights[y][..., 0] * weights[x][..., 1])[..., None, None]
