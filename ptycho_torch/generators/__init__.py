"""The networks that make patches of an object from diffraction amplitudes, by name.

`cnn` is the convolutional autoencoder of `ptycho_torch.autoencoder`; `fno` and `hybrid` add Fourier layers to
convolutions. All take images (B, C, N, N), normalised to a mean square of 1/4, and return complex patches (B, C, N, N).
"""

from ptycho_torch.generators.registry import ARCHITECTURES, make_generator

__all__ = ["ARCHITECTURES", "make_generator"]
