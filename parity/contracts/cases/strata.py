"""The inputs a contract must be tried on, as specifications: small enough to read, to shrink and to name.

A stratum says what is forced (odd sizes, dark pixels, a prediction far from the observation) because some
defect shows nowhere else; `draw` fills in the rest from a seed. The arrays are made of it in `scenes`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ptycho_exposures.objects import OBJECTS

Shape = tuple[int, int]

EVEN: tuple[Shape, ...] = ((8, 8), (16, 16), (32, 32), (64, 64), (128, 128))
ODD: tuple[Shape, ...] = ((9, 9), (15, 15), (33, 33), (63, 63))
PRIME: tuple[Shape, ...] = ((11, 11), (13, 13), (31, 31), (61, 61), (127, 127))
OBLONG: tuple[Shape, ...] = ((8, 12), (15, 8), (9, 33), (64, 31))
ANY: tuple[Shape, ...] = ((8, 8), (9, 9), (12, 15), (16, 16), (31, 31), (32, 32), (33, 24), (64, 64))

MOST_ELEMENTS = 2**16
"""Large patterns come in small batches: beyond this an example costs time and shows nothing new."""


class Prediction(StrEnum):
    """How the predicted amplitude relates to the observed one; an extinct one is dark where photons were counted."""

    NEAR = "near"
    FAR = "far"
    EQUAL = "equal"
    EXTINCT = "extinct"


class Shift(StrEnum):
    """Where patches lie between the pixels of their canvas; what lies beyond it has moved out of its own frame."""

    NONE = "none"
    WHOLE = "whole"
    NEAR_WHOLE = "near whole"
    FRACTIONAL = "fractional"
    BEYOND = "beyond"


class Band(StrEnum):
    """How many of a frame's frequencies a network keeps; the mean is zero frequency alone."""

    SOME = "some"
    ALL = "all"
    MEAN = "mean"


WEIGHTINGS = ("central", "probe", "uniform")
"""How patches count where they overlap."""

UNMERGED = "none"
"""The weighting under which they are not merged at all."""


class Counting(StrEnum):
    """What the detector hands over."""

    PHOTONS = "photons"
    SCALED = "scaled"
    READINGS = "readings"


@dataclass(frozen=True, slots=True)
class Stratum:
    """A region of the inputs: each field lists what may be drawn."""

    name: str
    shows: str
    shapes: tuple[Shape, ...] = ANY
    groups: tuple[int, ...] = (1, 2, 3)
    patches: tuple[int, ...] = (1, 4)
    modes: tuple[int, ...] = (1, 3)
    log10_photons: tuple[float, float] = (0.0, 12.0)
    prediction: tuple[Prediction, ...] = (Prediction.NEAR, Prediction.FAR)
    counting: Counting = Counting.PHOTONS
    phase_span: float = 2.0
    dark: bool = False
    full: tuple[bool, ...] = (True,)
    whole: bool = False
    textures: tuple[str, ...] = tuple(OBJECTS)
    shifts: tuple[Shift, ...] = (Shift.FRACTIONAL,)
    margins: tuple[int, ...] = (1, 2, 3, 4)
    weightings: tuple[str, ...] = WEIGHTINGS
    steps: tuple[int, ...] = (1, 2, 10, 1000)
    log10_gradient: tuple[float, float] = (-4.0, 0.0)
    log10_forgetting: tuple[float, float] = (-4.0, -0.3)
    band: Band = Band.SOME
    log10_modulus: tuple[float, float] = (0.0, 0.0)
    likelihood: bool = True


@dataclass(frozen=True, slots=True)
class Spec:
    """One drawn specification, everything that `parity.contracts.cases.scenes` needs to know."""

    stratum: str
    seed: int
    height: int
    width: int
    groups: int
    patches: int
    modes: int
    photons: float
    prediction: Prediction
    counting: Counting
    phase_span: float
    dark: bool
    full: bool
    whole: bool
    textures: tuple[str, ...]
    shift: Shift
    margins: tuple[int, int]
    weighting: str
    step: int
    gradient: float
    log10_forgetting: tuple[float, float]
    band: Band
    modulus: float
    likelihood: bool

    def generator(self, purpose: str) -> np.random.Generator:
        """The stream of random numbers for one purpose; streams do not depend on which others are drawn."""
        return _generator(self.stratum, self.seed, purpose)


def draw(stratum: Stratum, seed: int) -> Spec:
    """The specification number `seed` of a stratum. Shapes go round in order, so that a small seed is a small case."""
    random = _generator(stratum.name, seed, "spec")
    height, width = stratum.shapes[seed % len(stratum.shapes)]
    patches, modes, groups = (
        int(random.choice(options)) for options in (stratum.patches, stratum.modes, stratum.groups)
    )
    plane = height * width * modes
    if plane * groups * patches > MOST_ELEMENTS:
        groups = min(stratum.groups)
    if plane * groups * patches > MOST_ELEMENTS:
        patches = min(stratum.patches)
    return Spec(
        stratum=stratum.name,
        seed=seed,
        height=height,
        width=width,
        groups=groups,
        patches=patches,
        modes=modes,
        photons=float(10 ** random.uniform(*stratum.log10_photons)),
        prediction=stratum.prediction[random.integers(len(stratum.prediction))],
        counting=stratum.counting,
        phase_span=stratum.phase_span,
        dark=stratum.dark,
        full=stratum.full[random.integers(len(stratum.full))],
        whole=stratum.whole,
        textures=stratum.textures,
        shift=stratum.shifts[random.integers(len(stratum.shifts))],
        margins=(int(random.choice(stratum.margins)), int(random.choice(stratum.margins))),
        weighting=stratum.weightings[random.integers(len(stratum.weightings))],
        step=int(random.choice(stratum.steps)),
        gradient=float(10 ** random.uniform(*stratum.log10_gradient)),
        log10_forgetting=stratum.log10_forgetting,
        band=stratum.band,
        modulus=float(10 ** random.uniform(*stratum.log10_modulus)),
        likelihood=stratum.likelihood,
    )


def _generator(stratum: str, seed: int, purpose: str) -> np.random.Generator:
    """Keyed by names through CRC-32, which, unlike `hash`, is the same in every process."""
    return np.random.Generator(np.random.PCG64([zlib.crc32(f"{stratum}/{purpose}".encode()), seed]))


SHAPES = (
    Stratum("even", "the common case", EVEN),
    Stratum("odd", "ifftshift for fftshift, floor for ceiling", ODD),
    Stratum("prime", "transforms without small factors", PRIME),
    Stratum("oblong", "h·h for h·w, rows for columns", OBLONG),
    Stratum("lines", "grid-line exposures, as the pipeline simulates them", textures=("lines",)),
    Stratum("single", "axes squeezed away", groups=(1,), patches=(1,), modes=(1,)),
    Stratum("many", "axes mixed, sums over the wrong one", groups=(2, 3), patches=(4,), modes=(3,)),
)
EXPOSURES = (
    Stratum("dark", "ε under a root or in a logarithm, 0/0", groups=(2, 3), dark=True),
    Stratum("faint", "clamps and ε's", log10_photons=(-8.0, 0.0)),
    Stratum("bright", "cancellation, digits lost", log10_photons=(9.0, 12.0)),
    Stratum("scaled", "counts that are no integers", counting=Counting.SCALED),
)
EQUAL = (Stratum("equal", "the kink and the minimum", prediction=(Prediction.EQUAL,)),)
APART = (
    Stratum("near", "a step before convergence", prediction=(Prediction.NEAR,)),
    Stratum("far", "arguments exchanged, ratios inverted", prediction=(Prediction.FAR,)),
)
EXTINCT = (
    Stratum(
        "extinct",
        "a large number for +∞, NaN",
        groups=(1,),  # a cotangent of 0 for one group would meet an infinite slope
        log10_photons=(3.0, 12.0),
        prediction=(Prediction.EXTINCT,),
    ),
)
UNWEIGHTED = (
    Stratum(
        "unweighted",
        "0 times an infinite likelihood",
        log10_photons=(3.0, 12.0),
        prediction=(Prediction.EXTINCT,),
        likelihood=False,
    ),
)
BARE = (Stratum("bare", "the term in k alone kept on one side", full=(False,)),)
WRAPPED = (Stratum("wrapped", "phases beyond ±π", phase_span=25.0),)
DIM = (Stratum("dim", "a square that underflows, 0/0", log10_modulus=(-28.0, -12.0)),)
READINGS = (Stratum("readings", "integers squared before they are widened", counting=Counting.READINGS),)
SHIFTS = (
    Stratum("unshifted", "an offset added to every position", patches=(4,), shifts=(Shift.NONE,), margins=(1, 2)),
    Stratum("whole-shifts", "rounding where none is due, the kink", patches=(4,), shifts=(Shift.WHOLE,)),
    Stratum("near-whole", "the neighbouring cell", patches=(4,), shifts=(Shift.NEAR_WHOLE,)),
)
BEYOND = (Stratum("beyond", "content that wraps around or sticks to the frame", shifts=(Shift.BEYOND,)),)
TIGHT = (Stratum("tight", "a canvas of the patch's size: nothing, or all, trimmed", margins=(0,)),)
MERGED = (
    Stratum("central", "weights in the numerator alone", patches=(4,), weightings=("central",)),
    Stratum("probe-weighted", "a weight without its gradient", patches=(4,), weightings=("probe",)),
    Stratum("uniform", "a count of patches clamped to 1", patches=(4,), weightings=("uniform",)),
)
UNCONSTRAINED = (Stratum("unconstrained", "patches merged where they are to stand alone", weightings=(UNMERGED,)),)
BATCHES = (
    Stratum("batch-63", "chunks of a batch", ((8, 8), (9, 7)), groups=(63,), patches=(1,), modes=(1,)),
    Stratum("batch-64", "groups mixed where a chunk is full", ((8, 8), (9, 7)), groups=(16,), patches=(4,), modes=(1,)),
    Stratum("batch-65", "the last, short chunk", ((8, 8), (9, 7)), groups=(65,), patches=(1,), modes=(1,)),
)
_RASTERS: tuple[Shape, ...] = ((8, 8), (9, 7))
SCANS = (
    Stratum("raster", "neighbours that are equally far", _RASTERS, (4, 6), (4,), (1,), shifts=(Shift.WHOLE,)),
    Stratum("jittered", "rows and columns that are none", _RASTERS, (4, 6), (4,), (1,)),
    Stratum(
        "revisited", "an exposure that is not its own nearest", _RASTERS, (4, 6), (4,), (1,), shifts=(Shift.BEYOND,)
    ),
    Stratum("nine", "a grid of 2 × 2 for any", _RASTERS, (2, 3), (9,), (1,)),
    Stratum("ungrouped", "axes squeezed away", _RASTERS, (1, 5), (1,), (1,)),
)
MEASURED = Stratum("measured", "what a user's own detector delivers", groups=(1, 2, 3), patches=(1, 4))
WHOLE = (Stratum("whole", "≤ for <, where pixels lie on the rim", ODD, whole=True),)
HIGHER = (Stratum("higher", "modes beyond the first three", EVEN + ODD, modes=(4, 5, 6)),)
SQUARE_GRIDS = (
    Stratum("even", "the common case", EVEN),
    Stratum("odd", "a centre half a pixel off", ODD),
    Stratum("prime", "transforms without small factors", PRIME),
    Stratum("single", "the mode axis squeezed away", EVEN, modes=(1,)),
    Stratum("many", "modes mixed", EVEN + ODD, modes=(2, 3)),
)
FEATURE_MAPS = (
    Stratum("even", "the common case", ((8, 8), (16, 16))),
    Stratum("odd", "a last row or column that pooling leaves out", ((9, 9), (15, 15))),
    Stratum("oblong", "rows for columns", ((8, 12), (15, 8), (9, 33))),
    Stratum("single", "axes squeezed away", ((8, 8), (16, 16)), groups=(1,), patches=(1,), modes=(1,)),
    Stratum("many", "filters of both sides exchanged", ((8, 8), (12, 15)), groups=(2, 3), patches=(4,), modes=(3,)),
)
DARK_MAPS = (Stratum("dark", "a slope of 1, or of 1/2, at 0", ((8, 8), (9, 12)), dark=True),)
BANDS = (
    Stratum("whole-band", "the last column frequency of an even frame", ((8, 8), (12, 9), (9, 12)), band=Band.ALL),
    Stratum("mean", "zero frequency beside its place", ((8, 8), (9, 12), (12, 9)), band=Band.MEAN),
)
FRAMES = {
    size: (
        Stratum("single", "axes squeezed away", ((size, size),), (1,), (1,), (1,), (11.0, 12.0)),
        Stratum(
            "many", "groups or patches mixed", ((size, size),), (2 if size < 128 else 1,), (4,), (1,), (11.0, 12.0)
        ),
    )
    for size in (32, 64, 128, 256)
}
"""Exposures for networks, by their size; bright ones, because equal pixels leave open which is the largest."""
COARSEST = {
    size: Stratum(
        "coarsest",
        "what surrounds a single pixel, the whole of the deepest layer",
        ((size // 8, size // 8),),
        (1, 2),
        (1,),
        (1,),
        (11.0, 12.0),
    )
    for size in FRAMES
}
"""The smallest frames that the networks for frames of each size take."""
_VECTORS: tuple[Shape, ...] = ((4, 4), (8, 8), (16, 16), (32, 32))
STEPS = (
    Stratum("first", "no bias correction, or that of the step before", _VECTORS, steps=(1,)),
    Stratum("second", "a correction that forgets the step", _VECTORS, steps=(2,)),
    Stratum("late", "moments that should have settled", _VECTORS, steps=(1000,)),
    Stratum("small", "where ε is added", _VECTORS, log10_gradient=(-10.0, -7.0)),
    Stratum("large", "ε too large to be seen, squares", _VECTORS, log10_gradient=(3.0, 8.0)),
    Stratum("unused", "0/0 where a parameter has no gradient", _VECTORS, dark=True),
    Stratum("slow", "β near 1, where 1 − β^t cancels", _VECTORS, steps=(1, 2, 1000), log10_forgetting=(-9.0, -5.0)),
)
