"""What a defect does to training: where the object is driven to, and what of it the loss shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ptycho_torch.forward
import ptycho_torch.losses
from parity._ground.codes import AGREE, NOT_CHECKED
from parity._ground.errors import UsageError
from parity.cli.reconstruction import reconstruct_command
from parity.contracts.cases.case import Case
from parity.contracts.changes import raw
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults import CATALOGUE
from parity.faults.injection import injected
from parity.physics.precision import FLOAT64
from parity.proof.reconstruction import ROOT_OPTIMA, Effect, effect, expose
from parity.proof.reconstruction.table import draw_effects, effect_table
from parity.report.terminal import plain
from parity.stacks import load
from parity.stacks.base import Framework, StackError

POISSON, ABSOLUTE = "losses.poisson_nll/observed-unsquared", "losses.mae/predicted-squared"
LAYER = "losses.poisson_nll/layer-observed-unsquared"


@pytest.fixture(scope="module")
def torch() -> Framework:
    return load(("torch",))[0]


@pytest.fixture(scope="module")
def exposures() -> dict[str, NDArray[Any]]:
    """Small ones, of 400 photons a pixel."""
    return expose(side=16, gridsize=3, log10_photons=5.0)


@pytest.fixture(scope="module")
def effects(torch, exposures) -> dict[str, Effect]:
    return {name: effect(CATALOGUE[name], torch, steps=150, exposures=exposures) for name in (POISSON, ABSOLUTE)}


@pytest.mark.parametrize("name", [POISSON, ABSOLUTE])
def test_the_right_loss_finds_the_amplitude_up_to_photon_noise(effects, name):
    without, noise = effects[name].without, effects[name].noise
    assert without.minimised[-1] < without.minimised[0]
    assert without.end.loss < without.start.loss
    assert without.end.amplitude < noise.amplitude  # the best fit is nearer to the counts than the truth
    assert without.end.object_rescaled < without.start.object_rescaled


@pytest.mark.parametrize("name", [POISSON, ABSOLUTE])
def test_a_unit_mismatch_drives_the_amplitude_to_its_root_and_no_scale_repairs_it(effects, name):
    found = effects[name]
    predicted, wrong = found.predicted, found.with_defect.end
    assert abs(wrong.amplitude - predicted.amplitude) < found.noise.amplitude < predicted.amplitude
    assert wrong.loss > found.without.end.loss
    assert found.with_defect.minimised[-1] < found.with_defect.minimised[0] / 100
    assert wrong.amplitude_rescaled > found.noise.amplitude + found.without.end.amplitude_rescaled
    assert wrong.object_rescaled > found.without.start.object_rescaled > found.without.end.object


def test_with_counts_unsquared_the_photons_predicted_are_the_sum_of_the_amplitudes(effects, exposures):
    """A common factor of all patches is one of the prediction: where its slope is 0, Σ Â² = Σ A for any object."""
    observed, run = exposures["observed"], effects[POISSON].with_defect
    expected = observed.sum() / np.square(observed).sum()
    halfway = run.errors[len(run.minimised) // 2]
    assert abs(run.end.photons - expected) < abs(halfway.photons - expected) < abs(run.start.photons - expected)
    assert abs(run.end.photons - expected) < abs(run.end.photons - halfway.photons)


@pytest.mark.parametrize("name", sorted(ROOT_OPTIMA))
def test_the_loss_is_least_at_the_root(torch, name):
    defect = CATALOGUE[name]
    contract = REGISTRY[defect.target]
    inputs = Case(contract, contract.stratum("even"), 0).inputs()
    others = {weight: np.array(0.0) for weight in ("mae_weight", "realspace_weight") if weight in inputs}
    optimum = np.sqrt(inputs["observed"])

    def loss(predicted: NDArray[Any]) -> float:
        found = torch.evaluate(contract, {**inputs, **others, "predicted": predicted}, FLOAT64)
        return float(sum(value.sum() for value in found.values.values()))

    with injected(defect, "torch"):
        least = loss(optimum)
        assert least < min(loss(0.99 * optimum), loss(1.01 * optimum), loss(inputs["observed"]))
    assert loss(inputs["observed"]) < loss(optimum)


def test_the_stack_is_as_before_whatever_happens(torch, exposures):
    before = ptycho_torch.losses.poisson_nll

    def broken(**given: Any) -> Any:
        raise RuntimeError("out of light")

    effect(CATALOGUE[POISSON], torch, steps=1, exposures=exposures)
    assert ptycho_torch.losses.poisson_nll is before
    breaking = Fault("forward.training_objective", "broken", "it raises an error", raw(lambda xp, right: broken))
    objective = ptycho_torch.forward.training_objective
    with pytest.raises(StackError, match="out of light"):
        effect(breaking, torch, steps=1, exposures=exposures)
    assert ptycho_torch.forward.training_objective is objective


def test_the_same_run_twice_gives_the_same_numbers(torch):
    one, other = (effect(CATALOGUE[ABSOLUTE], torch, steps=2, exposures=expose(3, 8, 3)) for _ in range(2))
    assert one.without.errors == other.without.errors
    assert one.with_defect.errors == other.with_defect.errors


def test_the_other_stack_reconstructs_as_well(exposures):
    (tensorflow,) = load(("tensorflow",), mode="eager")
    found = effect(CATALOGUE[ABSOLUTE], tensorflow, steps=2, exposures=exposures)
    assert found.with_defect.minimised[0] > found.without.minimised[0]
    assert not found.is_none


def test_a_loss_that_the_defect_is_not_in_is_predicted_nothing_of(torch, exposures):
    found = effect(CATALOGUE[POISSON], torch, loss="mae", steps=1, exposures=exposures)
    assert found.loss == "mae"
    assert found.predicted is None


def test_what_cannot_be_asked(torch):
    with pytest.raises(UsageError, match="unknown loss 'nnl'; did you mean 'nll'"):
        effect(CATALOGUE[POISSON], torch, loss="nnl")
    with pytest.raises(ValueError, match="steps: expected at least one, got 0"):
        effect(CATALOGUE[POISSON], torch, steps=0)
    with pytest.raises(ValueError, match="gridsize: expected an odd number"):
        expose(gridsize=2)
    with pytest.raises(UsageError, match=f"{LAYER} can be made in torch; got 'tensorflow'"):
        effect(CATALOGUE[LAYER], load(("tensorflow",), mode="eager")[0])


def test_the_table_has_what_was_predicted_beside_what_came(effects):
    found = effects[POISSON]
    said = plain(effect_table(effects.values()))
    assert f"{POISSON}, torch" in said
    for errors in (found.without.end, found.with_defect.end, found.predicted):
        assert f"{errors.amplitude:.4f}" in said


def test_a_picture_is_the_same_file_each_time(effects, tmp_path):
    one, other = (draw_effects(tmp_path / name, [effects[POISSON]]) for name in ("one", "other"))
    assert [path.name for path in one] == ["reconstruction.png", "reconstruction.svg"]
    for path, again in zip(one, other, strict=True):
        assert path.read_bytes() == again.read_bytes()


def test_the_command_prints_the_table_and_draws(tmp_path, capsys):
    arguments = [POISSON, "--steps", "1", "--photons", "1e3", "--report", str(tmp_path)]
    assert reconstruct_command.main(arguments, standalone_mode=False) == AGREE
    said = capsys.readouterr().out
    assert "predicted with it" in said
    assert (tmp_path / "reconstruction.svg").exists()


def test_the_command_says_that_a_defect_changes_nothing(capsys):
    assert reconstruct_command.main([LAYER, "--steps", "1"], standalone_mode=False) == NOT_CHECKED
    assert f"{LAYER} changes nothing" in capsys.readouterr().out
