"""Generators by name."""

import pytest
import torch

from ptycho_torch.generators import ARCHITECTURES, make_generator


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("gridsize", [1, 2])
def test_every_architecture_turns_images_into_complex_patches(name: str, gridsize: int) -> None:
    images = torch.rand(2, gridsize**2, 16, 16, generator=torch.Generator().manual_seed(0))
    patches = make_generator(name, 16, gridsize)(images)
    assert patches.shape == images.shape
    assert patches.dtype == torch.complex64


def test_the_seed_is_passed_on() -> None:
    for name in ARCHITECTURES:
        one, other = (next(make_generator(name, 16, seed=seed).parameters()) for seed in (0, 1))
        assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fna", "name: expected one of cnn, fno, hybrid, got 'fna'; did you mean 'fno'?"),
        ("transformer", "name: expected one of cnn, fno, hybrid, got 'transformer'"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # compared whole
        make_generator(name)
    assert str(caught.value) == words
