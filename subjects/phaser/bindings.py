"""Binds contracts to phaser 0.3.1, whatever its arrays: whole windows [row, column], zero frequency in the corner."""

import math
from types import SimpleNamespace

import numpy as np
from parity_binding import Outside, binds
from phaser.engines.common import noise_models, regularizers
from phaser.engines.gradient import run, solvers
from phaser.plan import PoissonNoisePlan
from phaser.state import IterState, PixelatedObjectState, PixelatedProbeState, ReconsState, ScanState
from phaser.utils import num, optics
from phaser.utils.object import ObjectSampling

ORDERS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))
"""Of x and of y, in the order of the contract's modes."""


@binds("optics.far_field_amplitude", intensity=("amplitude",), corner=("amplitude",))
def far_field_amplitude(exit_waves):
    return num.get_array_module(exit_waves).sum(num.abs2(num.fft2(exit_waves)), axis=2)


@binds("losses.poisson_nll", intensity=("predicted", "observed"), dropped="saturated", unasked=("observed",))
def poisson_nll(predicted, observed, full):
    model, xp = noise_models.PoissonNoiseModel(None, PoissonNoisePlan()), num.get_array_module(predicted)
    pairs, every = zip(predicted, observed), xp.ones_like(predicted[0])
    return xp.stack([model.calc_loss(None, rate, count, every, None)[0] for rate, count in pairs])


@binds("losses.total_variation")
def total_variation(patches):
    loss, whole = regularizers.ObjTikhonov(None, SimpleNamespace(cost=1.0)).calc_loss_group, np.zeros((1, 1))
    states = (SimpleNamespace(object=SimpleNamespace(data=one), scan=SimpleNamespace(data=whole)) for one in patches)
    return num.get_array_module(patches).stack([loss(whole, state, None)[0] for state in states])


@binds("patches.extract_patches")
def extract_patches(canvas, positions, rows, columns):
    xp, (*_, height, width) = num.get_array_module(canvas), canvas.shape
    framed, sampling = xp.pad(canvas, ((0, 0), (1, 1), (1, 1))), ObjectSampling((height + 2, width + 2), 1.0)
    below = xp.floor(positions)
    views, fraction = 0, positions - below
    for at, weight in _whole(-below, fraction, 1 - fraction, xp):
        cut = xp.stack([sampling.get_view_at_pos(image, where, (rows, columns)) for image, where in zip(framed, at)])
        views = views + weight * cut
    return views


@binds("patches.reassemble_patches")
def reassemble_patches(patches, positions, weight, rows, columns):
    xp, sampling = num.get_array_module(patches), ObjectSampling((rows + 2, columns + 2), 1.0)
    below = xp.floor(-positions)
    fraction = -positions - below

    def merged(frames):
        canvases = [xp.zeros((rows + 2, columns + 2), dtype=frames.dtype) for _ in frames]
        for at, share in _whole(below + 1, 1 - fraction, fraction, xp):
            adds = zip(canvases, at, share * frames)
            canvases = [sampling.add_view_at_pos(canvas, where, views) for canvas, where, views in adds]
        return xp.stack(canvases)[:, 1:-1, 1:-1]

    return merged(weight * patches) / (merged(weight * xp.ones_like(patches.real)) + 1e-3)


@binds("patches.probe_weight")
def probe_weight(probe):
    return num.get_array_module(probe).sum(num.abs2(probe), axis=0)


@binds("probe.orthogonal_modes")
def orthogonal_modes(probe, powers):
    xp, (across, down) = num.get_array_module(probe), zip(*ORDERS[: len(powers)])
    shares = powers / xp.sum(powers) * xp.sum(num.abs2(probe))
    return optics.hermetian_modes(probe[0], down, across) * xp.sqrt(shares)[:, None, None]


@binds("training.sgd_step")
def sgd_step(parameters, gradient, velocity, learning_rate, momentum):
    step = solvers.chain(solvers.trace(momentum), solvers.scale_by_learning_rate(learning_rate))
    (update,), ((moved,), _) = step.update([-gradient], ([-velocity], None))
    return parameters + update, -moved


@binds("training.adam_step")
def adam_step(parameters, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon):
    xp = num.get_array_module(parameters)
    adam = solvers.scale_by_adam(beta1, beta2, epsilon)
    step = solvers.chain(adam, solvers.scale_by_learning_rate(learning_rate))
    state = solvers.ScaleByAdamState(xp.array(count - 1, dtype=np.int32), [-first_moment], [second_moment])
    (update,), (after, _) = step.update([-gradient], (state, None))
    return parameters + update, -after.mu[0], after.nu[0]


@binds("forward.predict_amplitude", unasked=("positions",))
def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    if weighting != "none":
        raise Outside("nothing merges patches")
    xp, (*groups, height, width) = num.get_array_module(patches), patches.shape
    frames = math.prod(groups)
    below = xp.asarray(np.array([(height * (n - (frames - 1) / 2), 0.0) for n in range(frames)]))
    state = ReconsState(
        iter=IterState(0, 0, 0),
        wavelength=1.0,
        probe=PixelatedProbeState(num.Sampling((height, width), sampling=1.0), probe),
        object=PixelatedObjectState(
            ObjectSampling((height * frames, width), 1.0), patches.reshape((1, -1, width)), np.zeros(0)
        ),
        scan=ScanState(below, below),
    )
    every, real = np.arange(frames)[None], num.to_real_dtype(probe.dtype)
    kept = run.SolverStates(None, [], [], [])
    intensity, _ = run.run_model.inner(
        {}, state, every, None, None, None, None, _Detector, [], kept, xp=xp, dtype=real, jit_unroll_slices=False
    )
    return _root(intensity).reshape(patches.shape) * xp.exp(log_scale)


class _Detector:
    """In a noise model's place: hands out the intensity that the model is to be held to."""

    @staticmethod
    def calc_loss(wave, intensity, patterns, mask, state):
        return num.fft2shift(intensity), state


def _whole(far, near_weight, far_weight, xp):
    """The four whole positions [row, column] round a fractional one [x, y], `far` the last, with bilinear weights."""
    far, weights = xp.flip(far, -1), [xp.flip(weight, -1) for weight in (near_weight, far_weight)]
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        yield far + xp.asarray(np.array([y, x]) - 1.0), (weights[y][..., 0] * weights[x][..., 1])[..., None, None]


def _root(intensity):
    """The amplitude, with the slope 0 where it is 0."""
    xp = num.get_array_module(intensity)
    lit = intensity > 0
    return xp.where(lit, xp.sqrt(xp.where(lit, intensity, 1.0)), 0.0)
