"""Specifications drawn from strata: the same everywhere, small first, and forced to what their stratum says."""

from collections.abc import Iterable

import numpy as np
import pytest

from parity.contracts.cases import strata
from parity.contracts.cases.strata import (
    EVEN,
    MOST_ELEMENTS,
    OBLONG,
    ODD,
    PRIME,
    Counting,
    Prediction,
    Spec,
    Stratum,
    draw,
)

SEEDS = range(40)
STRATA: dict[str, Stratum] = {
    f"{name}/{stratum.name}": stratum
    for name, group in vars(strata).items()
    if name.isupper() and isinstance(group, tuple)
    for stratum in group
    if isinstance(stratum, Stratum)
} | {"MEASURED": strata.MEASURED}


def drawn(stratum: Stratum) -> Iterable[Spec]:
    return (draw(stratum, seed) for seed in SEEDS)


@pytest.mark.parametrize("stratum", STRATA.values(), ids=list(STRATA))
def test_a_specification_keeps_to_its_stratum(stratum: Stratum) -> None:
    low, high = stratum.log10_photons
    for spec in drawn(stratum):
        assert (spec.height, spec.width) in stratum.shapes
        assert spec.groups in stratum.groups
        assert spec.patches in stratum.patches
        assert spec.modes in stratum.modes
        assert low <= np.log10(spec.photons) <= high
        assert spec.prediction in stratum.prediction
        assert spec.full in stratum.full
        assert (spec.counting, spec.dark, spec.phase_span) == (stratum.counting, stratum.dark, stratum.phase_span)


@pytest.mark.parametrize("stratum", STRATA.values(), ids=list(STRATA))
def test_drawing_again_gives_the_same(stratum: Stratum) -> None:
    assert list(drawn(stratum)) == list(drawn(stratum))


@pytest.mark.parametrize("stratum", STRATA.values(), ids=list(STRATA))
def test_every_option_of_a_stratum_is_drawn(stratum: Stratum) -> None:
    specs = list(drawn(stratum))
    assert {(spec.height, spec.width) for spec in specs} == set(stratum.shapes)
    assert {spec.groups for spec in specs} == set(stratum.groups)
    assert {spec.patches for spec in specs} == set(stratum.patches)
    assert {spec.modes for spec in specs} == set(stratum.modes)
    assert {spec.prediction for spec in specs} == set(stratum.prediction)


@pytest.mark.parametrize("stratum", STRATA.values(), ids=list(STRATA))
def test_the_first_seed_has_the_first_shape_and_no_batch_is_too_large(stratum: Stratum) -> None:
    first = draw(stratum, 0)
    assert (first.height, first.width) == stratum.shapes[0]
    for spec in drawn(stratum):
        elements = spec.height * spec.width * spec.groups * spec.patches * spec.modes
        smallest = (spec.groups, spec.patches) == (min(stratum.groups), min(stratum.patches))
        assert elements <= MOST_ELEMENTS or smallest


def is_prime(n: int) -> bool:
    return n > 1 and all(n % factor for factor in range(2, n))


def test_shapes_are_what_they_are_called() -> None:
    assert all(h == w and h % 2 == 0 for h, w in EVEN)
    assert all(h == w and h % 2 == 1 for h, w in ODD)
    assert all(h == w and is_prime(h) for h, w in PRIME)
    assert all(h != w for h, w in OBLONG)


def test_strata_are_what_they_are_called() -> None:
    named = {stratum.name: stratum for stratum in STRATA.values()}
    assert named["dark"].dark
    assert named["equal"].prediction == (Prediction.EQUAL,)
    assert named["far"].prediction == (Prediction.FAR,)
    assert named["readings"].counting is Counting.READINGS
    assert named["scaled"].counting is Counting.SCALED
    assert named["bare"].full == (False,)
    assert named["faint"].log10_photons == (-8, 0)
    assert named["bright"].log10_photons[1] == 12
    assert named["wrapped"].phase_span > 2 * np.pi


def test_streams_of_random_numbers_are_independent() -> None:
    """Of stratum, seed and purpose; and of whether others were drawn from."""
    spec, other_seed, other_stratum = (
        draw(stratum, seed) for stratum, seed in ((strata.SHAPES[0], 0), (strata.SHAPES[0], 1), (strata.SHAPES[1], 0))
    )
    numbers = spec.generator("probe").random(8)
    spec.generator("object").random(1000)
    np.testing.assert_array_equal(spec.generator("probe").random(8), numbers)
    for other in (spec.generator("object"), other_seed.generator("probe"), other_stratum.generator("probe")):
        assert not np.isin(other.random(8), numbers).any()
