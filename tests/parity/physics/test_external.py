"""The oracle against pty-chi (Argonne National Laboratory), an implementation that nobody here has written.

It needs an environment of its own; `ENVIRONMENT` says how to make it. Then, from the repository's root,
`.venv-external/bin/python -m pytest -m external tests/oracle`. Double precision; the allowance is the
oracle's bound of the same quantity, twice, because pty-chi may stray as far to one side as the oracle to the other.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from parity.contracts.cases.case import Case
from parity.contracts.cases.families.losses import EXPOSURES, SHAPES, LossStratum
from parity.contracts.declared import REGISTRY
from parity.physics.oracle.bounded import Bounded
from parity.physics.oracle.losses import poisson_nll, poisson_nll_vjp
from parity.physics.oracle.operations import log, log_gamma_plus_one, square, total
from parity.physics.oracle.optics import far_field_amplitude, far_field_amplitude_vjp
from parity.physics.precision import FLOAT64

pytestmark = [pytest.mark.external, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ENVIRONMENT = (
    "pty-chi is not installed here. Make its environment in the repository's root: python -m venv .venv-external && "
    ".venv-external/bin/pip install -r tests/external/requirements.txt && "
    ".venv-external/bin/pip install --no-deps ptychi==2.2.0"
)

LIT: tuple[LossStratum, ...] = (*SHAPES, *EXPOSURES[1:])
"""pty-chi has no definition for pixels without light."""

every_stratum = pytest.mark.parametrize("stratum", LIT, ids=lambda stratum: stratum.name)


@pytest.fixture(scope="module")
def ptychi() -> ModuleType:
    """pty-chi's forward models. Of torchvision, which has no place here, they use a blur, and the tests none."""
    if importlib.util.find_spec("ptychi") is None:
        pytest.fail(ENVIRONMENT, pytrace=False)
    if importlib.util.find_spec("torchvision") is None:
        transforms = ModuleType("torchvision.transforms")
        transforms.GaussianBlur = None  # type: ignore[attr-defined]
        sys.modules |= {"torchvision": ModuleType("torchvision"), transforms.__name__: transforms}
    importlib.import_module("ptychi.api")
    return importlib.import_module("ptychi.forward_models")


def inputs_of(contract: str, stratum: LossStratum) -> dict[str, NDArray[Any]]:
    return Case(REGISTRY[contract], stratum, 0).inputs()


def exact(array: NDArray[Any]) -> Bounded:
    return Bounded.exact(array, FLOAT64)


def assert_agree(got: torch.Tensor, oracle: Bounded) -> None:
    error = np.abs(got.numpy() - oracle.value)
    assert np.all(error <= 2 * oracle.allowed), f"{np.max(error / oracle.allowed):.3g} times the bound"


def in_modes(waves: NDArray[Any]) -> torch.Tensor:
    """Exit waves (B, C, P, H, W) as pty-chi has them, (patterns, P, H, W)."""
    return torch.from_numpy(waves.reshape(-1, *waves.shape[2:]))


def far_field(ptychi: ModuleType, waves: NDArray[Any]) -> torch.Tensor:
    """pty-chi's wave on the detector, (patterns, P, H, W), zero frequency first."""
    return ptychi.FourierPropagator(norm="ortho").propagate_forward(in_modes(waves))


@every_stratum
def test_the_far_field_is_the_same(ptychi, stratum):
    """Unitary transform, intensities of the modes added. pty-chi leaves the zero frequency in the corner."""
    waves = inputs_of("optics.far_field_amplitude", stratum)["exit_waves"]
    intensity = (far_field(ptychi, waves).abs() ** 2).sum(1).reshape(*waves.shape[:2], *waves.shape[3:])
    assert_agree(torch.fft.fftshift(intensity, dim=(-2, -1)), square(far_field_amplitude(exact(waves))))


def counts(amplitude: NDArray[Any]) -> torch.Tensor:
    """Photons as pty-chi has them, (patterns, H, W)."""
    return torch.from_numpy(amplitude.reshape(-1, *amplitude.shape[2:])).square()


@every_stratum
def test_the_poisson_loss_is_the_same_but_for_what_is_constant(ptychi, stratum):
    """pty-chi's is the mean over n pixels of λ − k·ln(λ + ε), ε = 10⁻⁸; the oracle's adds ln Γ(k+1) and has no ε:

    n·(pty-chi) = NLL − Σ ln Γ(k+1) − Σ k·ln((λ + ε)/λ).
    """
    predicted, observed = (inputs_of("losses.poisson_nll", stratum)[name] for name in ("predicted", "observed"))
    rate, count = square(exact(predicted)), square(exact(observed))
    nll = ptychi.PtychographyPoissonNoiseModel().nll(counts(predicted), counts(observed))
    shifted = total(count * log((rate + 1e-8) / rate))
    constant = total(log_gamma_plus_one(count)) + shifted
    assert_agree(nll, (total(poisson_nll(exact(predicted), exact(observed))) - constant) / predicted.size)


@every_stratum
def test_the_gradient_of_the_loss_at_the_exit_waves_is_the_same(ptychi, stratum):
    """pty-chi's is ∂/∂ψ̄ of Σ λ − k·ln λ, half of ∂/∂Re + i·∂/∂Im; its ε, an argument here, is set to 0."""
    waves = inputs_of("optics.far_field_amplitude", stratum)["exit_waves"]
    predicted = far_field_amplitude(exact(waves))
    observed = exact(np.sqrt(np.round(1.1 * predicted.value**2)))
    on_detector = far_field(ptychi, waves)
    slope = ptychi.PtychographyPoissonNoiseModel(eps=0.0).backward_to_psi_far(
        (on_detector.abs() ** 2).sum(1), counts(np.fft.ifftshift(observed.value, axes=(-2, -1))), on_detector
    )
    got = 2 * ptychi.FourierPropagator(norm="ortho").propagate_backward(slope).reshape(waves.shape)
    ones = exact(np.ones(len(waves)))
    of_predicted, _ = poisson_nll_vjp(ones, predicted, observed, full=False)
    assert_agree(got, far_field_amplitude_vjp(of_predicted, exact(waves))[0])
