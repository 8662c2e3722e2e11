"""What is simulated: objects of every texture the checks are tried on, and the exposures' crops of them.

Each maker returns an amplitude in (0, 1] and a phase in radians, drawn independently, both (H, W), H ≠ W and
odd sizes included, and without symmetry, so that a flip or a transpose never goes unseen. To add a texture,
write a maker and give it a row in `OBJECTS`. Exposing the crops to a probe is `ptycho_exposures.diffsim`'s part.
"""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ptycho_exposures.diffsim import Seed

Shape: TypeAlias = tuple[int, int]
Image: TypeAlias = NDArray[np.float64]
Texture: TypeAlias = Callable[[Shape, np.random.Generator], Image]

MIN_AMPLITUDE: Final = 0.1
"""Amplitude of the darkest pixel: no object blocks the probe altogether."""

PHOTOGRAPHS: Final = ("camera", "coins", "brick", "grass", "gravel", "moon")
"""Grey-scale pictures inside the scikit-image wheel: they load without a download."""


class SimulatedObject(NamedTuple):
    """An object amplitude·exp(i·phase)."""

    amplitude: Image
    """(H, W), dimensionless, in (0, 1]."""
    phase: Image
    """(H, W), radians, spanning [−phase_span/2, phase_span/2] without wrapping."""


class ObjectMaker(Protocol):
    """Anything that can have a row in `OBJECTS`."""

    def __call__(self, shape: Shape, seed: Seed, phase_span: float = ...) -> SimulatedObject: ...


def lines(shape: Shape, seed: Seed, phase_span: float = math.pi) -> SimulatedObject:
    """Smooth bright lines of random place and direction crossing the whole frame.

    Args:
        shape: (H, W), each at least 2 pixels.
        seed: of every random choice. The same seed gives the same object.
        phase_span: largest minus smallest phase, radians; beyond 2π the phase of exp(i·phase) wraps.

    Raises:
        ValueError: a frame smaller than 2 × 2, or a negative or non-finite `phase_span`.
    """
    return _from_textures([_line_texture] * 2, shape, _generator(seed), phase_span)


def gaussian_random_field(
    shape: Shape, seed: Seed, phase_span: float = math.pi, *, exponent: float = 3.0
) -> SimulatedObject:
    """A Gaussian random field whose power spectrum falls as |f|^−exponent (3 looks like clouds).

    Arguments and errors as `lines`; exponent 0 is white noise, larger exponents are smoother.
    """
    texture = partial(_power_law_texture, exponent=exponent)
    return _from_textures([texture] * 2, shape, _generator(seed), phase_span)


def points(shape: Shape, seed: Seed, phase_span: float = math.pi) -> SimulatedObject:
    """Single bright pixels of unequal height, one in a hundred, on a flat ground.

    Arguments and errors as `lines`.
    """
    return _from_textures([_point_texture] * 2, shape, _generator(seed), phase_span)


def photograph(shape: Shape, seed: Seed, phase_span: float = math.pi) -> SimulatedObject:
    """One photograph as amplitude and another as phase, each flipped and turned at random, then resized.

    Arguments and errors as `lines`. Needs scikit-image; its pictures (`PHOTOGRAPHS`) are never downloaded.
    """
    rng = _generator(seed)
    textures = [partial(_photograph_texture, name=name) for name in rng.choice(PHOTOGRAPHS, 2, replace=False)]
    return _from_textures(textures, shape, rng, phase_span)


OBJECTS: Final[Mapping[str, ObjectMaker]] = MappingProxyType(
    {
        "lines": lines,
        "gaussian_random_field": gaussian_random_field,
        "points": points,
        "photograph": photograph,
    }
)
"""Every object by its name; a row here is a row in the test plan."""


def make_object(name: str, shape: Shape, seed: Seed, phase_span: float = math.pi) -> SimulatedObject:
    """The object that `OBJECTS` has under `name`. Arguments as `lines`.

    Raises:
        ValueError: an unknown name, or as `lines`.
    """
    if name not in OBJECTS:
        near = difflib.get_close_matches(name, OBJECTS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"name: expected one of {', '.join(OBJECTS)}, got {name!r}{hint}")
    return OBJECTS[name](shape, seed, phase_span)


def scan_positions(
    object_shape: Shape, patch_shape: Shape, *, step: int, gridsize: int = 1, offset: int = 0
) -> NDArray[np.int64]:
    """Top-left corners [x = column, y = row] of a raster scan in groups, pixels, shape (B, 1, 2, gridsize²).

    Groups start every `step` pixels, row by row, wherever all of their patches stay on the object. Patch
    c = row·gridsize + column of a group lies offset·(column, row) from its first.

    Raises:
        ValueError: a step or gridsize below 1, a negative offset, or an object too small for a single group.
    """
    for name, value, least in (("step", step, 1), ("gridsize", gridsize, 1), ("offset", offset, 0)):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    reach = (gridsize - 1) * offset
    room = [whole - part - reach for whole, part in zip(object_shape, patch_shape, strict=True)]
    if min(room) < 0:
        group_shape = tuple(part + reach for part in patch_shape)
        raise ValueError(f"object_shape: expected at least a group's {group_shape}, got {object_shape}")
    corner_y, corner_x = np.mgrid[0 : room[0] + 1 : step, 0 : room[1] + 1 : step].reshape(2, -1, 1)
    inner_y, inner_x = offset * np.indices((gridsize, gridsize)).reshape(2, 1, -1)
    return np.stack([corner_x + inner_x, corner_y + inner_y], axis=1)[:, np.newaxis]


def scan_patches(image: NDArray[Any], positions: NDArray[np.integer[Any]], shape: Shape) -> NDArray[Any]:
    """Crops of `image` with their top-left corners at `positions`, bit for bit, shape (B, H, W, C).

    Args:
        image: object, amplitude or phase, two-dimensional and of any dtype, which the crops keep.
        positions: (B, 1, 2, C) integers [x = column, y = row], pixels.
        shape: (H, W) of a patch.

    Raises:
        TypeError: positions that are not integers.
        ValueError: a wrong rank, a patch larger than the image, or one that leaves it.
    """
    _check_scan(image, positions, shape)
    x, y = positions[:, 0, 0], positions[:, 0, 1]
    patches = np.lib.stride_tricks.sliding_window_view(image, shape)[y, x]
    return np.ascontiguousarray(np.moveaxis(patches, 1, -1))


def _generator(seed: Seed) -> np.random.Generator:
    """A stream of the objects' own, independent of the photon noise drawn from the same seed."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))


def _from_textures(
    textures: Sequence[Texture], shape: Shape, rng: np.random.Generator, phase_span: float
) -> SimulatedObject:
    """The object whose amplitude and phase are two textures, drawn in this order."""
    if len(shape) != 2 or min(shape) < 2:
        raise ValueError(f"shape: expected (H, W) of at least 2 pixels each, got {shape}")
    if not 0 <= phase_span < math.inf:
        raise ValueError(f"phase_span: expected a finite number of radians, at least 0, got {phase_span}")
    amplitude, phase = (_stretch(texture(shape, rng)) for texture in textures)
    return SimulatedObject(
        amplitude=MIN_AMPLITUDE + (1 - MIN_AMPLITUDE) * amplitude,
        phase=phase_span * (phase - 0.5),
    )


def _stretch(texture: Image) -> Image:
    """The texture mapped linearly onto [0, 1]."""
    low, high = texture.min(), texture.max()
    stretched: Image = (texture - low) / (high - low)
    return stretched


def _line_texture(shape: Shape, rng: np.random.Generator, half_width: float = 1.5) -> Image:
    """Sum of lines exp(−d²/2w²), d the distance in pixels to a line through a random point."""
    y, x = np.indices(shape, dtype=np.float64)
    texture = np.zeros(shape)
    for _ in range(4 + sum(shape) // 8):
        through_y, through_x = rng.uniform(0, shape)
        angle = rng.uniform(0, math.pi)
        distance = (x - through_x) * math.sin(angle) - (y - through_y) * math.cos(angle)
        texture += np.exp(-0.5 * (distance / half_width) ** 2)
    return texture


def _power_law_texture(shape: Shape, rng: np.random.Generator, exponent: float) -> Image:
    """White noise filtered by |f|^(−exponent/2), its mean removed."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = math.inf
    noise = np.fft.rfft2(rng.standard_normal(shape))
    return np.fft.irfft2(noise * frequency ** (-exponent / 2), s=shape)


def _point_texture(shape: Shape, rng: np.random.Generator) -> Image:
    """Zero but for one pixel in a hundred, two at least, of heights between 1/2 and 1."""
    texture = np.zeros(shape)
    count = max(2, texture.size // 100)
    texture.flat[rng.choice(texture.size, size=count, replace=False)] = rng.uniform(0.5, 1, size=count)
    return texture


def _photograph_texture(shape: Shape, rng: np.random.Generator, name: str) -> Image:
    """A part of the picture `name`, as large as can be, in one of its eight orientations; its pixels are block means,
    or interpolated where the frame is larger than the picture."""
    from skimage import transform

    resize: Callable[..., Image] = transform.resize
    block_means: Callable[..., Image] = transform.downscale_local_mean
    picture = np.rot90(_picture(name), k=int(rng.integers(4)))
    picture = picture.T if rng.integers(2) else picture
    factor = min(whole // part for whole, part in zip(picture.shape, shape, strict=True))
    if factor < 1:
        return resize(picture, shape)
    y, x = (int(rng.integers(whole - factor * part + 1)) for whole, part in zip(picture.shape, shape, strict=True))
    return block_means(picture[y : y + factor * shape[0], x : x + factor * shape[1]], (factor, factor))


@cache
def _picture(name: str) -> Image:
    """The picture `name`, decoded once; read-only."""
    from skimage import data

    picture: Image = getattr(data, name)().astype(np.float64)
    picture.flags.writeable = False
    return picture


def _check_scan(image: NDArray[Any], positions: NDArray[np.integer[Any]], shape: Shape) -> None:
    if image.ndim != 2:
        raise ValueError(f"image: expected shape (H, W), got {image.shape}")
    if positions.dtype.kind not in "iu":
        raise TypeError(f"positions: expected integers, got {positions.dtype}")
    if positions.ndim != 4 or positions.shape[1:3] != (1, 2):
        raise ValueError(f"positions: expected shape (B, 1, 2, C), got {positions.shape}")
    room_y, room_x = (whole - part for whole, part in zip(image.shape, shape, strict=True))
    if min(room_y, room_x) < 0:
        raise ValueError(f"shape: expected at most the image's {image.shape}, got {shape}")
    room = np.array([room_x, room_y])[:, np.newaxis]
    leaving = np.argwhere(((positions < 0) | (positions > room)).any(axis=2))
    if leaving.size:
        group, _, patch = (int(i) for i in leaving[0])
        x, y = (int(r) for r in positions[group, 0, :, patch])
        raise ValueError(
            f"positions: expected 0 ≤ x ≤ {room_x} and 0 ≤ y ≤ {room_y}, got [{x}, {y}] in group {group}, patch {patch}"
        )
