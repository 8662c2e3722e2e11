"""The all-ones trap: a gradient check that no transform at all would pass.

Σ|DFT ψ|² is Σ|ψ|² (Parseval). A cotangent of ones on the intensity therefore pulls back to the same gradient through
the forward transform, the inverse one, a shifted one, or none. The harness's cotangents must tell them apart.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from parity.contracts.cases.case import ONE_HOT_EVERY, Case
from parity.contracts.declared import REGISTRY
from parity.judging.examine import examine
from parity.judging.quantity import gradient_of
from parity.physics.precision import FLOAT64
from parity.stacks.base import Framework
from ptycho_torch import optics

FarField = Callable[[Tensor], Tensor]
CONTRACT = REGISTRY["optics.far_field_amplitude"]
RANDOM, ONE_HOT = (Case(CONTRACT, CONTRACT.stratum("even"), seed) for seed in (0, ONE_HOT_EVERY - 1))


def amplitude_through(transform: FarField) -> FarField:
    """A far field with any unitary transform in the place of the Fourier transform."""

    def far_field(exit_waves: Tensor) -> Tensor:
        field = transform(exit_waves)
        return (field.real.square() + field.imag.square()).sum(dim=2).sqrt()

    return far_field


def fft(waves: Tensor) -> Tensor:
    return torch.fft.fft2(waves, norm="ortho")


def shift(plane: Tensor) -> Tensor:
    return torch.fft.fftshift(plane, dim=(-2, -1))


RIGHT = amplitude_through(lambda waves: shift(fft(waves)))
WRONG = {
    "inverse": amplitude_through(lambda waves: shift(torch.fft.ifft2(waves, norm="ortho"))),
    "extra fftshift": amplitude_through(lambda waves: shift(shift(fft(waves)))),
    "transposed": amplitude_through(lambda waves: shift(fft(waves)).mT),
    "no transform": amplitude_through(lambda waves: waves),
}

wrong_ways = pytest.mark.parametrize("far_field", WRONG.values(), ids=list(WRONG))


def gradient_of_ones(far_field: FarField) -> Tensor:
    waves = torch.from_numpy(RANDOM.inputs()["exit_waves"]).requires_grad_()
    intensity = far_field(waves).square()
    (gradient,) = torch.autograd.grad(intensity, waves, torch.ones_like(intensity))
    return gradient


def gradient_agrees(case: Case, stacks: tuple[Framework, ...]) -> bool:
    (found,) = (
        m for m in examine(case, stacks, (FLOAT64,)) if (m.stack, m.quantity) == ("torch", gradient_of("exit_waves"))
    )
    return found.agrees


@wrong_ways
def test_ones_on_the_intensity_see_no_difference(far_field):
    torch.testing.assert_close(gradient_of_ones(far_field), gradient_of_ones(RIGHT))
    torch.testing.assert_close(gradient_of_ones(far_field), 2 * torch.from_numpy(RANDOM.inputs()["exit_waves"]))


@pytest.mark.parametrize("case", [RANDOM, ONE_HOT], ids=["random", "one-hot"])
@wrong_ways
def test_the_gradient_of_the_harness_sees_it(far_field, case, stacks, monkeypatch):
    monkeypatch.setattr(optics, "far_field_amplitude", far_field)
    assert not gradient_agrees(case, stacks)


@pytest.mark.parametrize("case", [RANDOM, ONE_HOT], ids=["random", "one-hot"])
def test_the_gradient_of_the_harness_accepts_the_right_transform(case, stacks, monkeypatch):
    monkeypatch.setattr(optics, "far_field_amplitude", RIGHT)
    assert gradient_agrees(case, stacks)


@pytest.mark.parametrize("name", [name for name, contract in REGISTRY.items() if contract.differentiable])
def test_no_cotangent_is_constant(name):
    """However few its elements: over a few seeds the cotangents of a result differ among themselves."""
    contract = REGISTRY[name]
    for result in contract.results:
        cases = [Case(contract, contract.strata[0], seed) for seed in range(3)]
        drawn = [case.cotangents({result.name: np.ones((2, 1))})[result.name] for case in cases]
        assert len(np.unique(drawn)) == np.size(drawn)
