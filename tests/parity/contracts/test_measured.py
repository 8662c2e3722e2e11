"""Specifications around a user's data set: what is measured is measured, and only the rest is simulated."""

from pathlib import Path

import numpy as np
import pytest

from parity._ground.errors import UsageError
from parity.contracts.cases.case import Case, parse_case, strata_of
from parity.contracts.cases.datasets import Dataset, read_dataset
from parity.contracts.cases.families.exposures import (
    ExposureSpec,
    ExposureStratum,
    detected,
    exit_waves,
    observed,
    patches,
    predicted,
)
from parity.contracts.cases.families.losses import LossStratum
from parity.contracts.cases.families.probes import probe, single_mode
from parity.contracts.declared import REGISTRY

COUNT, SIZE, FRAME = 12, 16, (40, 36)
SEEDS = range(5)


def data_set(folder: Path, with_object: bool) -> Dataset:
    random = np.random.default_rng(1)
    guess = random.uniform(0.5, 1, FRAME) * np.exp(1j * random.uniform(-3, 3, FRAME))
    np.savez(
        folder / "scan.npz",
        diffraction=random.uniform(0, 9, (COUNT, SIZE, SIZE)).astype(np.float32),
        probeGuess=random.standard_normal((2, SIZE, SIZE)) + 1j * random.standard_normal((2, SIZE, SIZE)),
        xcoords=random.uniform(100, 100 + FRAME[1] - SIZE, COUNT),
        ycoords=random.uniform(-50, -50 + FRAME[0] - SIZE, COUNT),
        **({"objectGuess": guess} if with_object else {}),
    )
    return read_dataset(folder / "scan.npz")


@pytest.fixture(params=[True, False], ids=["with object", "without object"])
def dataset(tmp_path: Path, request: pytest.FixtureRequest) -> Dataset:
    return data_set(tmp_path, with_object=request.param)


def specs(dataset: Dataset) -> list[ExposureSpec]:
    return [ExposureStratum.measured().draw(seed).around(dataset) for seed in SEEDS]


def test_observations_are_exposures_of_the_file(dataset: Dataset) -> None:
    measured = {pattern.tobytes() for pattern in dataset.diffraction.astype(np.float64)}
    for spec in specs(dataset):
        assert observed(spec).dtype == np.float64
        assert observed(spec).shape == (spec.groups, spec.patches, SIZE, SIZE)
        assert {pattern.tobytes() for pattern in observed(spec).reshape(-1, SIZE, SIZE)} <= measured
        np.testing.assert_array_equal(detected(spec), observed(spec))


def test_seeds_choose_different_exposures(dataset: Dataset) -> None:
    assert len({observed(spec)[0, 0].tobytes() for spec in specs(dataset)}) > 1


def test_the_probe_is_the_file_s(dataset: Dataset) -> None:
    for spec in specs(dataset):
        np.testing.assert_array_equal(probe(spec), dataset.probe)
        np.testing.assert_array_equal(single_mode(spec), dataset.probe[:1])


def test_without_an_object_one_is_simulated_in_the_patterns_frame(dataset: Dataset) -> None:
    for spec in specs(dataset):
        assert patches(spec).shape == observed(spec).shape
        assert np.isfinite(patches(spec)).all()


def test_patches_are_cut_from_the_file_s_object_where_their_exposures_were_taken(tmp_path: Path) -> None:
    dataset = data_set(tmp_path, with_object=True)
    assert dataset.object is not None
    patterns = dataset.diffraction.astype(np.float64)
    corners = np.round(dataset.positions - dataset.positions.min(axis=0)).astype(int)
    for spec in specs(dataset):
        pairs = zip(observed(spec).reshape(-1, SIZE, SIZE), patches(spec).reshape(-1, SIZE, SIZE), strict=True)
        for pattern, patch in pairs:
            (index,) = np.flatnonzero((patterns == pattern).all(axis=(1, 2)))
            x, y = corners[index]
            np.testing.assert_allclose(patch, dataset.object[y : y + SIZE, x : x + SIZE])


def test_a_prediction_is_of_the_observed_dose_and_differs_from_it(dataset: Dataset) -> None:
    for spec in specs(dataset):
        photons, waves = np.sum(observed(spec) ** 2), np.sum(np.abs(exit_waves(spec)) ** 2)
        assert waves == pytest.approx(photons)
        assert (predicted(spec) != observed(spec)).any()


@pytest.mark.parametrize("name", list(REGISTRY))
def test_every_contract_has_inputs_from_it(dataset: Dataset, name: str) -> None:
    contract = REGISTRY[name]
    for stratum in strata_of(contract, dataset):
        inputs = Case(contract, stratum, 1, dataset).inputs()
        assert list(inputs) == [argument.name for argument in contract.arguments]


def test_its_cases_are_a_stratum_of_their_own(dataset: Dataset) -> None:
    contract = REGISTRY["losses.mae"]
    case = parse_case(contract, "measured/3", dataset)
    assert case == Case(contract, LossStratum.measured(), 3, dataset)
    with pytest.raises(UsageError, match=r"^a data set is the stratum 'measured'; got 'odd'$"):
        parse_case(contract, "odd/3", dataset)
