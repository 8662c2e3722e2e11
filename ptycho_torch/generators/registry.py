"""The generators by name. To add one, write a function that makes it and give it a row in `ARCHITECTURES`.

What an architecture needs is imported when it is made: the autoencoder starts without neuraloperator.
"""

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from ptycho_exposures.checks import refusal

Maker = Callable[[int, int, int], nn.Module]
"""From the size of a frame in pixels, the gridsize and a seed to a generator."""


def _cnn(size: int, gridsize: int, seed: int) -> nn.Module:
    from ptycho_torch.autoencoder import Autoencoder
    from ptycho_torch.networks import CNNConfig

    return Autoencoder(CNNConfig(size=size, gridsize=gridsize), seed)


def _fno(size: int, gridsize: int, seed: int) -> nn.Module:
    from ptycho_torch.generators.fno import CascadedFNOGenerator, FNOConfig

    return CascadedFNOGenerator(FNOConfig(size=size, gridsize=gridsize), seed)


def _hybrid(size: int, gridsize: int, seed: int) -> nn.Module:
    from ptycho_torch.generators.hybrid import HybridConfig, HybridGenerator

    return HybridGenerator(HybridConfig(size=size, gridsize=gridsize), seed)


ARCHITECTURES: Mapping[str, Maker] = MappingProxyType({"cnn": _cnn, "fno": _fno, "hybrid": _hybrid})
"""What makes a generator of each name with the defaults of its configuration."""


def make_generator(name: str, size: int = 64, gridsize: int = 1, seed: int = 0) -> nn.Module:
    """A generator for C = gridsize^2 patches of `size` pixels a side, its weights drawn from `seed` alone.

    For other widths and depths, make the class with its configuration: `autoencoder.Autoencoder`,
    `generators.fno.CascadedFNOGenerator`, `generators.hybrid.HybridGenerator`.

    Raises:
        TypeError: a size is not a whole number.
        ValueError: there is no such architecture, or it does not take the size or the gridsize.
    """
    if name not in ARCHITECTURES:
        near = difflib.get_close_matches(str(name), ARCHITECTURES, n=1)
        got = f"{name!r}; did you mean {near[0]!r}?" if near else repr(name)
        raise ValueError(refusal("name", f"one of {', '.join(ARCHITECTURES)}", got))
    return ARCHITECTURES[name](size, gridsize, seed)
