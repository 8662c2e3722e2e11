"""Specifications drawn from strata: the same everywhere, small first, and forced to what their stratum says."""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
import pytest

from parity.contracts.cases.families import canvases, exposures, losses, optimizers, probes, scans
from parity.contracts.cases.families.exposures import Counting, ExposureSpec, ExposureStratum, Prediction
from parity.contracts.cases.families.family import EVEN, MOST_ELEMENTS, OBLONG, ODD, PRIME, Spec, Stratum
from parity.contracts.declared import REGISTRY

SEEDS = range(40)
STRATA = {
    stratum: f"{contract.name}/{stratum.name}"
    for contract in REGISTRY.values()
    for stratum in (*contract.strata, contract.strata[0].measured())
}
"""Each once, with the last contract that is tried on it."""
OPTIONS = {
    "groups": "groups",
    "patches": "patches",
    "modes": "modes",
    "features": "features",
    "filters": "filters",
    "prediction": "prediction",
    "steps": "step",
    "shifts": "shift",
    "weightings": "weighting",
}
"""Fields of strata that list what may be drawn, and the fields of specifications that say what was."""

every_stratum = pytest.mark.parametrize("stratum", STRATA, ids=STRATA.values())


def drawn(stratum: Stratum) -> Iterable[Spec]:
    return (stratum.draw(seed) for seed in SEEDS)


@every_stratum
def test_every_option_of_a_stratum_is_drawn_and_nothing_else(stratum: Stratum) -> None:
    specs = list(drawn(stratum))
    assert {spec.frame for spec in specs} == set(stratum.shapes)
    for options in {each.name for each in fields(stratum)} & set(OPTIONS):
        assert {getattr(spec, OPTIONS[options]) for spec in specs} == set(getattr(stratum, options)), options


@every_stratum
def test_photons_keep_to_their_stratum(stratum: Stratum) -> None:
    if isinstance(stratum, ExposureStratum):
        low, high = stratum.log10_photons
        assert all(low <= np.log10(stratum.draw(seed).photons) <= high for seed in SEEDS)


@every_stratum
def test_a_stratum_draws_specifications_of_its_family_and_says_what_it_shows(stratum: Stratum) -> None:
    assert {type(spec) for spec in drawn(stratum)} == {stratum.specification}
    assert stratum.shows


@every_stratum
def test_drawing_again_gives_the_same(stratum: Stratum) -> None:
    assert list(drawn(stratum)) == list(drawn(stratum))


@every_stratum
def test_the_first_seed_has_the_first_shape_and_no_batch_is_too_large(stratum: Stratum) -> None:
    assert stratum.draw(0).frame == stratum.shapes[0]
    for spec in drawn(stratum):
        smallest = (
            isinstance(spec, ExposureSpec)
            and isinstance(stratum, ExposureStratum)
            and ((spec.groups, spec.patches) == (min(stratum.groups), min(stratum.patches)))
        )
        assert spec.elements <= MOST_ELEMENTS or smallest or isinstance(spec, probes.ProbeSpec)


@every_stratum
def test_a_stratum_of_a_size_draws_the_fewest_of_everything(stratum: Stratum) -> None:
    spec = stratum.sized(24).draw(0)
    assert spec.frame == (24, 24)
    assert spec.elements == min(one.elements // np.prod(one.frame) for one in drawn(stratum)) * 24**2


def is_prime(n: int) -> bool:
    return n > 1 and all(n % factor for factor in range(2, n))


def test_shapes_are_what_they_are_called() -> None:
    assert all(h == w and h % 2 == 0 for h, w in EVEN)
    assert all(h == w and h % 2 == 1 for h, w in ODD)
    assert all(h == w and is_prime(h) for h, w in PRIME)
    assert all(h != w for h, w in OBLONG)


def test_strata_are_what_they_are_called() -> None:
    dark, faint, bright, scaled = losses.EXPOSURES
    assert dark.dark
    assert faint.log10_photons == (-8.0, 0.0)
    assert bright.log10_photons == (9.0, 12.0)
    assert scaled.counting is Counting.SCALED
    assert losses.EQUAL[0].prediction == (Prediction.EQUAL,)
    assert losses.APART[1].prediction == (Prediction.FAR,)
    assert not losses.BARE[0].full
    assert losses.WRAPPED[0].phase_span > 2 * np.pi
    assert exposures.READINGS[0].counting is Counting.READINGS
    assert [stratum.name for stratum in scans.SCANS if stratum.revisited] == ["revisited"]


def test_a_stratum_is_the_same_in_a_family_with_more_fields() -> None:
    """Of one name they are one case: the same exposures, to the last bit."""
    for stratum, wider in zip(exposures.SHAPES, canvases.SHAPES, strict=True):
        one, other = stratum.draw(5), wider.draw(5)
        assert (one.axes, one.frame, one.photons, one.prediction, one.modulus) == (
            other.axes,
            other.frame,
            other.photons,
            other.prediction,
            other.modulus,
        )
        np.testing.assert_array_equal(exposures.observed(one), exposures.observed(other))


def test_telling_are_long_axes_and_frames_that_are_no_squares() -> None:
    even, many = exposures.SHAPES[0].draw(0), exposures.SHAPES[-1].draw(2)
    assert (many.frame, many.axes[1:]) == ((12, 15), (4, 3))
    assert many.telling == 4
    assert even.telling == sum(size > 1 for size in even.axes)
    assert optimizers.STEPS[0].draw(1).telling == 0


def test_streams_of_random_numbers_are_independent() -> None:
    """Of stratum, seed and purpose; and of whether others were drawn from."""
    first, second = exposures.SHAPES[:2]
    spec, other_seed, other_stratum = first.draw(0), first.draw(1), second.draw(0)
    numbers = spec.generator("probe").random(8)
    spec.generator("object").random(1000)
    np.testing.assert_array_equal(spec.generator("probe").random(8), numbers)
    for other in (spec.generator("object"), other_seed.generator("probe"), other_stratum.generator("probe")):
        assert not np.isin(other.random(8), numbers).any()
