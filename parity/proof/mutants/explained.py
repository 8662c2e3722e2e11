"""Mutants that nothing can kill, with the reason: what is computed, or refused, is the same."""

from __future__ import annotations

from collections.abc import Mapping

EXPLAINED: Mapping[str, tuple[str, ...]] = {
    "|−z| = |z|, (−x)² = x², cos(−x) = cos x": ("28de4950de", "61e9003faa", "1019b2fd7a", "233454fc32"),
    "|a − b| = |b − a|": ("03b0c7332e", "db190f3015"),
    "only the modulus of it is used: the wrapped phase difference enters as |wrap(…)|": (
        "bc2c706726",
        "3ba9d37797",
        "c27250c359",
    ),
    "0 where it is used: the branch is taken where the intensity, or the prediction, is 0": (
        "01ff7c7f07",
        "167ee448b1",
    ),
    "any number would do: `where` takes the other branch there, and lets no gradient through": ("057b0c931b",),
    "any positive number would do: its phase is 0 too": ("4286215c30",),
    "a power of two leaves a phase as it is, whatever is lifted by it": ("13252bc39d",),
    "both branches are right at the limit between them, and about it": ("26beb2091e", "feb4b3674c", "1b8855a343"),
    "less than a rounding of float64 in what it is added to": ("6033b88cb7", "520039510b", "0351833e4e"),
    "it is what the framework takes without being told": ("ac3438dedc",),
    "autograd drops a gradient that nobody has asked for": ("2babe91575",),
    "the axis has one entry": ("02e240643b",),
    "a number is NaN whatever its sign": ("0c66edc88f",),
    "it is applied twice, to rows and to columns, and (−1)² = 1": ("5dc2a173bb",),
    "a list, or a shape, serves as a tuple does": ("086780d504", "4d070b647d"),
    "the lengths are always the same, and strictness has nothing to refuse": (
        "86557c80bc",
        "762043ef32",
        "cdb8c3fece",
        "02045699cc",
        "afa2f791fc",
    ),
    "the real and the imaginary part have one dtype": ("d36f951da6", "81e1441945"),
    "the length is the same number, known or not; only messages tell them apart": ("10f938adc0",),
    "the same axes, counted from the other end": ("25f95d87f3", "1651fb11d2", "211a41744d"),
    "nothing changes on the CPU; on a GPU it raises": ("19411e1602", "1bca150f79"),
    "the gradient of a floor is 0 already": ("4b6c917564",),
    "a common sign of the object does not show on the detector": ("15fd673784",),
    "a sum is even where the difference is": ("0abc9683d1",),
}
"""By reason the ids of the mutants; a definition that is written anew has others."""


def explanation(mutant: str) -> str:
    """Why a mutant cannot be killed; nothing where nobody has said so."""
    return next((reason for reason, mutants in EXPLAINED.items() if mutant in mutants), "")
