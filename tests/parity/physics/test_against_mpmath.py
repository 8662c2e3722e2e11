"""The oracle against 100 digits: every value against its contract's equation, every gradient against its differences.

The equations are those of a textbook, without a thought for rounding: sums instead of transforms, λ − k·ln λ for the
Poisson loss. They share no line with the oracle. Arrays are NumPy's, of mpmath numbers. A contract declares its
equation as its `textbook`; a long one stands below instead, with a row in `EQUATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from parity.contracts.cases.case import Case, forced
from parity.contracts.cases.families.exposures import READINGS
from parity.contracts.cases.families.family import Stratum
from parity.contracts.cases.families.losses import EXTINCT
from parity.contracts.cases.families.networks import COARSEST, FRAMES
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.judging.expectation import bounded_gradients, bounded_values, witness
from parity.judging.quantity import gradient_of, result_of
from parity.physics.oracle.bounded import Bounded
from parity.physics.precision import FLOAT32, FLOAT64

Digits = NDArray[np.object_]
"""An array of mpmath numbers."""

mp = mpmath.MPContext()
mp.dps = 100

STEP = mp.mpf(10) ** -40
"""Central differences of step h err by h²·|f‴|/6 and by the rounding of f over h: here both are below h·(1 + |f|)."""

SIZES, SQUARE_SIZES = ((4, 3), (5, 4)), ((4, 4), (5, 5))

ELEMENTS = 4
"""Of each argument so many, drawn at random, are moved; `test_adjoint` moves all at once."""

PRECISIONS = (FLOAT64, FLOAT32)


def elementwise(function: Callable[..., Any]) -> Callable[[Any], Digits]:
    """A function of mpmath on arrays; it remembers, because differences move one element at a time."""
    ufunc = np.frompyfunc(cache(function), 1, 1)
    return lambda x: np.asarray(ufunc(x), object)


log, exp, sqrt, arg, tanh = (elementwise(f) for f in (mp.log, mp.exp, mp.sqrt, mp.arg, mp.tanh))
ELEMENTARY = SimpleNamespace(log=log, exp=exp, sqrt=sqrt, arg=arg, tanh=tanh, pi=mp.pi, mpf=mp.mpf)
"""What the equation in a declaration is written with."""

real_part = elementwise(mp.re)
log_factorial = elementwise(lambda k: mp.loggamma(k + 1))
times_own_log = elementwise(lambda k: k * mp.log(k) if k else k)


def energy(z: Digits, axis: Any = None) -> Any:
    return np.sum(abs(z) ** 2, axis=axis)


def waves(rows: Any, columns: Any) -> Digits:
    """e^{−2πi·rows·columns}, of the outer product."""
    return exp(-2j * mp.pi * np.multiply.outer(rows, columns))


def fractions(numerators: range, denominator: int) -> Digits:
    return np.array([mp.mpf(n) / denominator for n in numerators], object)


def frequencies(size: int) -> Digits:
    """Cycles a pixel, zero frequency at size // 2."""
    return fractions(range(-(size // 2), size - size // 2), size)


def half_pixel_centred(size: int) -> Digits:
    return fractions(range(1 - size, size, 2), 2)


def radius_squared(size: int) -> Digits:
    x = half_pixel_centred(size)
    return np.add.outer(x**2, x**2)


def central_half(height: int, width: int) -> NDArray[np.int64]:
    inside = [(np.arange(n) - (n - n // 2) // 2) // (n // 2) == 0 for n in (height, width)]
    return np.outer(*inside).astype(int)


def far_field_amplitude(exit_waves: Digits) -> Digits:
    height, width = exit_waves.shape[-2:]
    down = waves(frequencies(height), range(height))
    across = waves(range(width), frequencies(width))
    return sqrt(energy(down @ exit_waves @ across, axis=2) / (height * width))


def spectral_convolve(features: Digits, weights: Digits) -> Digits:
    (height, width), (rows, columns) = features.shape[-2:], weights.shape[-2:]
    row = fractions(range(-(rows // 2), rows - rows // 2), height)
    column = fractions(range(columns), width)
    spectrum = waves(row, range(height)) @ features @ waves(range(width), column) / (height * width)
    kept = np.sum(spectrum[:, :, None] * weights, axis=1)
    with_negative = np.array([2 - (frequency in (0, mp.mpf(1) / 2)) for frequency in column])
    return real_part(waves(range(height), -row) @ (kept * with_negative) @ waves(-column, range(width)))


def zone_plate(size: int, outer_radius: Any, stop_radius: Any, defocus: Any) -> Digits:
    r2 = radius_squared(size)
    pupil = ((stop_radius**2 <= r2) & (r2 < outer_radius**2)) * exp(1j * defocus * r2 / outer_radius**2)
    centred = np.arange(size) - size // 2
    return (waves(frequencies(size), centred) @ pupil @ waves(centred, frequencies(size)) / size)[None]


def orthogonal_modes(probe: Digits, powers: Digits) -> Digits:
    x = half_pixel_centred(probe.shape[-1])
    powers_of_xy = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2))[: len(powers)]
    modes: list[Digits] = []
    for a, b in powers_of_xy:
        seed = probe[0] * np.multiply.outer(x**b, x**a)
        seed = seed - sum(mode * np.sum(mode.conj() * seed) for mode in modes)
        modes.append(seed / sqrt(energy(seed)))
    return np.array(modes) * sqrt(powers / sum(powers) * energy(probe))[:, None, None]


def normalize(probe: Digits, probe_scale: Any) -> Digits:
    inside = radius_squared(probe.shape[-1]) < mp.mpf(probe.shape[-1]) ** 2 / 16
    return probe / (probe_scale * np.mean(abs(inside * probe)))


def poisson_nll(predicted: Digits, observed: Digits, full: bool = True) -> Digits:
    rate, count = predicted**2, observed**2
    nll = rate - np.where(count == 0, 0, count * log(np.where(count == 0, 1, rate)))
    of_count_alone = log_factorial(count) - times_own_log(count) + count
    return np.sum(nll + log_factorial(count) - (0 if full else of_count_alone), axis=(1, 2, 3))


def total_variation(patches: Digits) -> Digits:
    axes = (1, 2, 3)
    return energy(np.diff(patches, axis=2), axes) + energy(np.diff(patches, axis=3), axes)


def complex_mae(patches: Digits, target: Digits) -> Digits:
    return np.mean(abs(abs(patches) - abs(target))) + np.mean(abs(arg(patches * target.conj())))


def realspace_loss(patches: Digits, target: Digits, tv_weight: Any, realspace_mae_weight: Any) -> Digits:
    m = central_half(*patches.shape[-2:])
    mae = complex_mae(m * patches, m * target)
    return tv_weight * np.mean(total_variation(m * patches)) + realspace_mae_weight * mae


def training_loss(
    predicted, observed, patches, target, nll_weight, mae_weight, realspace_weight, tv_weight, realspace_mae_weight
):
    nll = np.sum(poisson_nll(predicted, observed)) / predicted.size if nll_weight else 0
    realspace = realspace_loss(patches, target, tv_weight, realspace_mae_weight)
    return nll_weight * nll + mae_weight * np.mean(abs(predicted - observed)) + realspace_weight * realspace


def tents(rows: int, columns: int, centres: Digits) -> Digits:
    """max(0, 1 − |i − j − centre|), i rows and j columns, both counted from the middle: (…, rows, columns)."""
    i, j = half_pixel_centred(rows)[:, None], half_pixel_centred(columns)
    distance = abs(i - j - centres[..., None, None])
    return np.where(distance < 1, 1 - distance, mp.zero)


def moved(patches: Digits, positions: Digits, rows: int, columns: int) -> Digits:
    """What a frame around the middle of patches sees of them, moved by +r."""
    down = tents(rows, patches.shape[-2], positions[..., 1])
    across = tents(columns, patches.shape[-1], positions[..., 0])
    return down @ patches @ across.swapaxes(-2, -1)


def reassemble_patches(patches: Digits, positions: Digits, weight: Digits, rows: int, columns: int) -> Digits:
    content = np.sum(moved(weight * patches, -positions, rows, columns), axis=1)
    ground = np.broadcast_to(weight, patches.shape)
    return content / (np.sum(moved(ground, -positions, rows, columns), axis=1) + mp.mpf("0.001"))


def extract_patches(canvas: Digits, positions: Digits, rows: int, columns: int) -> Digits:
    repeated = np.repeat(canvas[:, None], positions.shape[1], axis=1)
    return moved(repeated, positions, rows, columns)


def zeros_around(patches: Digits, rows: int, columns: int) -> Digits:
    padded = np.full((*patches.shape[:2], rows, columns), mp.mpc(0), object)
    height, width = patches.shape[-2:]
    top, left = (rows - height) // 2, (columns - width) // 2
    padded[..., top : top + height, left : left + width] = patches
    return padded


def middle(patches: Digits, rows: int, columns: int) -> Digits:
    top, left = (patches.shape[-2] - rows) // 2, (patches.shape[-1] - columns) // 2
    return patches[..., top : top + rows, left : left + columns]


def predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting):
    height, width = patches.shape[-2:]
    views = patches
    if weighting != "none":
        weights = {"central": central_half(height, width), "uniform": np.ones((height, width), int)}
        weight = energy(probe, axis=0) if weighting == "probe" else weights[weighting]
        views = extract_patches(reassemble_patches(patches, positions, weight, rows, columns), positions, height, width)
    return far_field_amplitude(views[:, :, None] * probe) * exp(log_scale)


def training_objective(patches, positions, probe, log_scale, observed, target, rows, columns, weighting, **weights):
    predicted = predict_amplitude(patches, positions, probe, log_scale, rows, columns, weighting)
    return training_loss(predicted, observed, patches, target, **weights)


def padded_size(size: int, gridsize: int, offset: int, jitter: int) -> Digits:
    least = size + (gridsize - 1) * offset + 2 * jitter
    return np.array(mp.mpf(min(m for m in (least, least + 1) if m % 2 == size % 2)), object)


def as_groups(flat: Digits, gridsize: int) -> Digits:
    patches = gridsize * gridsize
    groups = range(len(flat) // patches)
    return np.array([[flat[group * patches + c] for c in range(patches)] for group in groups], object)


def on_grid(patches: Digits, gridsize: int) -> Digits:
    side = range(gridsize)
    return np.array([[[group[y * gridsize + x] for x in side] for y in side] for group in patches], object)


def convolve(features: Digits, kernel: Digits, bias: Digits) -> Digits:
    height, width = features.shape[-2:]
    around = np.full((*features.shape[:2], height + 2, width + 2), mp.zero, object)
    around[..., 1:-1, 1:-1] = features
    terms = (
        np.tensordot(around[..., k : k + height, n : n + width], kernel[:, :, k, n], axes=(1, 1))
        for k in range(3)
        for n in range(3)
    )
    return np.moveaxis(sum(terms) + bias, -1, 1)


def rectify(features: Digits) -> Digits:
    """Its slope at 0 is 0 by definition: a central difference must see nothing there."""
    return np.where(features > STEP, features, mp.zero)


def max_pool(features: Digits) -> Digits:
    height, width = (size // 2 * 2 for size in features.shape[-2:])
    corners = [features[..., y:height:2, x:width:2] for y in (0, 1) for x in (0, 1)]
    return np.maximum.reduce(corners)


def upsample(features: Digits) -> Digits:
    return features.repeat(2, axis=-2).repeat(2, axis=-1)


def amplitude_head(features: Digits, kernel: Digits, bias: Digits) -> Digits:
    return 1 / (1 + exp(-convolve(features, kernel, bias)))


def phase_head(features: Digits, kernel: Digits, bias: Digits) -> Digits:
    return mp.pi * tanh(convolve(features, kernel, bias))


def rectified_twice(features, first_kernel, first_bias, second_kernel, second_bias):
    return rectify(convolve(rectify(convolve(features, first_kernel, first_bias)), second_kernel, second_bias))


def autoencode(images: Digits, **parameters: Digits) -> Digits:
    def of(chain: str, level: int) -> list[Digits]:
        places = ("first_kernel", "first_bias", "second_kernel", "second_bias")
        return [parameters[f"{chain}_{level}_{place}"] for place in places]

    levels = sum(name.startswith("encoder") for name in parameters) // 4
    encoded = images
    for level in range(levels):
        encoded = max_pool(rectified_twice(encoded, *of("encoder", level)))
    amplitude, phase = encoded, encoded
    for level in range(levels - 1):
        amplitude = upsample(rectified_twice(amplitude, *of("amplitude_decoder", level)))
        phase = upsample(rectified_twice(phase, *of("phase_decoder", level)))
    amplitude = amplitude_head(amplitude, parameters["amplitude_head_kernel"], parameters["amplitude_head_bias"])
    phase = phase_head(phase, parameters["phase_head_kernel"], parameters["phase_head_bias"])
    return zeros_around(amplitude * exp(1j * phase), *images.shape[-2:])


def mean_photons(amplitude: Digits) -> Any:
    return np.mean(energy(amplitude, (2, 3)))


def sgd_step(parameters, gradient, velocity, learning_rate, momentum):
    velocity = mp.mpf(momentum) * velocity + gradient
    return parameters - mp.mpf(learning_rate) * velocity, velocity


def adam_step(
    parameters, gradient, first_moment, second_moment, count, learning_rate, beta1, beta2, epsilon, weight_decay=0.0
):
    b1, b2 = mp.mpf(beta1), mp.mpf(beta2)
    first = b1 * first_moment + (1 - b1) * gradient
    second = b2 * second_moment + (1 - b2) * gradient**2
    step = first / (1 - b1**count) / (sqrt(second / (1 - b2**count)) + mp.mpf(epsilon))
    decayed = parameters * (1 - mp.mpf(learning_rate) * weight_decay)
    return decayed - mp.mpf(learning_rate) * step, first, second


def neighbour_groups(scan: Digits, gridsize: int, neighbours: int, seed: int) -> Any:
    """Neighbours compared in 100 digits: what the scans here have of equal distances is equal in any."""
    numbers, size = range(len(scan)), gridsize * gridsize
    groups = []
    draws = np.random.PCG64(seed).random_raw(len(scan) * (neighbours - 1)) if neighbours > size else None
    for here in numbers:
        away = {there: sum((scan[there] - scan[here]) ** 2) for there in numbers}
        _, *others = sorted(numbers, key=lambda there: (there != here, away[there], there))[:neighbours]
        if draws is not None:
            own = draws[here * (neighbours - 1) :][: neighbours - 1]
            others = [other for _, other in sorted(zip(own, others, strict=True))]
        rows = sorted([here, *others[: size - 1]], key=lambda one: (scan[one, 1], scan[one, 0], one))
        grid = [sorted(rows[y : y + gridsize], key=lambda one: (*scan[one], one)) for y in range(0, size, gridsize)]
        groups.append([one for row in grid for one in row])
    return np.array(groups)


def group_positions(scan: Digits, **grouping: int) -> Digits:
    grouped = scan[neighbour_groups(scan, **grouping)]
    return np.mean(grouped, axis=1, keepdims=True) - grouped


def group_amplitudes(diffraction: Digits, scan: Digits, **grouping: int) -> Digits:
    scale = sqrt(mp.mpf(diffraction[0].size) / 4 / mean_photons(diffraction[None]))
    return diffraction[neighbour_groups(scan, **grouping)] * scale


NAMED = {
    "probe": (zone_plate, orthogonal_modes, normalize),
    "optics": (far_field_amplitude,),
    "patches": (extract_patches, reassemble_patches, padded_size),
    "networks": (convolve, spectral_convolve, rectify, max_pool, upsample, amplitude_head, phase_head),
    "forward": (predict_amplitude, training_objective),
    "dataloader": (group_positions, group_amplitudes),
    "losses": (poisson_nll, total_variation, complex_mae, realspace_loss, training_loss),
    "training": (sgd_step, adam_step),
}
EQUATIONS: Mapping[str, Callable[..., Any]] = {
    **{f"{file}.{equation.__name__}": equation for file, equations in NAMED.items() for equation in equations},
    "probe.disk": lambda size, radius: (radius_squared(size) < radius**2)[None] * mp.mpc(1),
    "probe.gaussian": lambda size, width: exp(-radius_squared(size) / (2 * width**2))[None],
    "probe.mask": lambda probe: (radius_squared(probe.shape[-1]) < mp.mpf(probe.shape[-1]) ** 2 / 16) * 1,
    "patches.central_weight": lambda patches: central_half(*patches.shape[-2:]),
    "patches.pad": zeros_around,
    "patches.trim": middle,
    "patches.translate": lambda patches, positions: moved(patches, positions, *patches.shape[-2:]),
    "patches.flat_to_channel": as_groups,
    "patches.channel_to_grid": on_grid,
    "networks.encoder_block": lambda **arguments: max_pool(rectified_twice(**arguments)),
    "networks.decoder_block": lambda **arguments: upsample(rectified_twice(**arguments)),
    "networks.autoencode@32": autoencode,
    "scaling.normalize_amplitude": lambda amplitude: (
        amplitude * sqrt(mp.mpf(amplitude[0, 0].size) / 4 / mean_photons(amplitude))
    ),
    "dataloader.neighbour_groups": lambda **arguments: neighbour_groups(**arguments) * mp.mpf(1),
    "training.adamw_step": adam_step,
}


def equation_of(contract: Contract) -> Callable[..., Any]:
    """The equation that a contract declares, or its row of `EQUATIONS`."""
    return partial(contract.textbook, ELEMENTARY) if contract.textbook else EQUATIONS[contract.name]


FEW = {"groups": (1, 2), "patches": (1, 4), "filters": (1, 4), "modes": (1, 2), "features": (1, 2)}


def small(stratum: Stratum) -> Stratum:
    """The same stratum with all that it forces, in sizes whose sums can be written out.

    A frame that a network halves so often is as small as that allows.
    """
    square = all(height == width for height, width in stratum.shapes)
    shapes = SQUARE_SIZES if square else SIZES
    for size, coarsest in COARSEST.items():
        if stratum in (*FRAMES[size], coarsest):
            shapes = coarsest.shapes
    few: dict[str, Any] = {name: options for name, options in FEW.items() if hasattr(stratum, name)}
    return replace(stratum, **few, shapes=shapes)


DEEPER = {"forward.reconstruction_loss@32", *(f"networks.autoencode@{size}" for size in (64, 128, 256))}
"""What is held to its equation with fewer blocks, or in its halves: in 100 digits, an element at a time, it would take
minutes."""


CASES = [
    Case(contract, small(stratum), seed)
    for contract in REGISTRY.values()
    if contract.name not in DEEPER
    for seed, stratum in enumerate(contract.strata)
    if stratum not in EXTINCT
]
"""One of each stratum; its seed is its number, so that sizes and kinds of cotangents take turns. Where the equation is
infinite there is no distance to measure: `test_a_count_where_the_model_is_dark_is_infinitely_unlikely`."""

SLOPED = [case for case in CASES if case.contract.differentiable and case.stratum.name != READINGS[0].name]
"""Integers have no slope."""


def name_of(case: Case) -> str:
    return f"{case.contract.name}-{case.name}"


def single(array: NDArray[Any]) -> NDArray[Any]:
    """Rounded to single precision, so that the bounds of both precisions speak of the same numbers."""
    return FLOAT32.round(array).astype(FLOAT64.dtype_like(array))


def digits(array: NDArray[Any]) -> Digits:
    number = mp.mpc if np.iscomplexobj(array) else mp.mpf
    return np.array([number(x.item()) for x in array.ravel()], object).reshape(array.shape)


class Question:
    """A case, its inputs and cotangents in both arithmetics, and the names of its results."""

    def __init__(self, case: Case) -> None:
        self.contract = case.contract
        self.results = [result.name for result in case.contract.results]
        given = case.inputs()
        self.inputs = {
            a.name: given[a.name] if a.kind.static else single(given[a.name]) for a in case.contract.arguments
        }
        values = {n: bound.value for n, bound in bounded_values(self.contract, self.inputs, FLOAT64).items()}
        self.cotangents = {n: single(w) for n, w in case.cotangents(values).items()}
        self.answers = witness(self.contract, self.inputs, self.cotangents, FLOAT64)
        self.arguments = {
            a.name: self.inputs[a.name].item() if a.kind.static else digits(self.inputs[a.name])
            for a in self.contract.arguments
        }

    def equation(self, **moved: Digits) -> dict[str, Digits]:
        """The equation's value of every result, with some arguments moved."""
        found = equation_of(self.contract)(**{**self.arguments, **moved})
        each = found if isinstance(found, tuple) else (found,)
        return {name: np.asarray(x, object) for name, x in zip(self.results, each, strict=True)}

    def loss(self, **moved: Digits) -> Any:
        """Re Σ w̄·f, of which the vector–Jacobian product is the gradient."""
        terms = (np.sum(digits(self.cotangents[n]).conj() * x) for n, x in self.equation(**moved).items())
        return sum(terms, start=mp.zero).real

    def slopes(self, argument: str, elements: NDArray[np.int64]) -> Digits:
        """∂loss/∂Re + i·∂loss/∂Im at some elements of an argument, by central differences."""
        return np.array([self._slope(argument, element) for element in elements], object)

    def _slope(self, argument: str, element: np.int64) -> Any:
        x = self.arguments[argument]
        slope = mp.zero
        for unit in (1, 1j) if isinstance(x.flat[element], mp.mpc) else (1,):
            ahead, behind = x.copy(), x.copy()
            ahead.flat[element] += unit * STEP
            behind.flat[element] -= unit * STEP
            rise = self.loss(**{argument: ahead}) - self.loss(**{argument: behind})
            slope += unit * rise / (2 * STEP)
        return slope


def assert_within_bounds(
    got: NDArray[Any], expected: Digits, *bounds: Bounded, elements: Any = slice(None), slack: Any = 0
) -> None:
    """Double precision keeps to its own bound, and to the same number of roundings in units of single's."""
    error = abs(digits(got).ravel()[elements] - expected.ravel())
    for bound in bounds:
        allowed = bound.allowed.ravel()[elements] * (FLOAT64.unit_roundoff / bound.precision.unit_roundoff)
        inside = np.asarray(error <= digits(allowed) + slack, bool)
        assert inside.all(), f"{bound.precision.name}: {error[~inside]} > {allowed[~inside]}"


def test_every_contract_has_its_equation_once():
    declared = [contract.name for contract in REGISTRY.values() if contract.textbook]
    assert sorted([*EQUATIONS, *declared]) == sorted(set(REGISTRY) - DEEPER)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_values_are_those_of_the_equation(case):
    question = Question(case)
    bounds = [bounded_values(case.contract, question.inputs, p) for p in PRECISIONS]
    for result, expected in question.equation().items():
        got = question.answers[result_of(result)]
        assert got.shape == expected.shape
        assert_within_bounds(got, expected, *(bound[result] for bound in bounds))


@pytest.mark.parametrize("case", SLOPED, ids=name_of)
def test_gradients_are_the_slopes_of_the_equation(case):
    """Where the equation is infinite on both sides it has no slope, and the gradient is 0 by definition."""
    question = Question(case)
    bounds = [bounded_gradients(case.contract, question.inputs, question.cotangents, p) for p in PRECISIONS]
    for argument in (argument.name for argument in case.contract.differentiable):
        got = question.answers[gradient_of(argument)]
        assert got.shape == question.inputs[argument].shape
        elements = case.spec.generator(f"elements of {argument}").permutation(got.size)[:ELEMENTS]
        slopes = question.slopes(argument, elements)
        assert_within_bounds(
            got,
            np.where(np.vectorize(mp.isfinite)(slopes), slopes, mp.zero),
            *(gradients[argument] for gradients in bounds),
            elements=elements,
            slack=STEP * (1 + abs(question.loss())),
        )


def test_a_count_where_the_model_is_dark_is_infinitely_unlikely():
    contract = REGISTRY["losses.poisson_nll"]
    inputs = next(forced(replace(contract, strata=EXTINCT))).inputs()
    struck = (inputs["predicted"] == 0) & (inputs["observed"] > 0)
    ones = {"nll": np.ones(1)}
    slopes = bounded_gradients(contract, inputs, ones, FLOAT64)
    assert struck.any()
    assert not struck.all()
    assert poisson_nll(digits(inputs["predicted"]), digits(inputs["observed"])) == mp.inf
    for precision in PRECISIONS:
        assert bounded_values(contract, inputs, precision)["nll"].value == np.inf
    assert (slopes["predicted"].value[struck] == -np.inf).all()
    assert (slopes["observed"].value[struck] == np.inf).all()
    assert all(np.isfinite(slope.value[~struck]).all() for slope in slopes.values())
