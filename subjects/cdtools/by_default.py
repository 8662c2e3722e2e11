"""Binds contracts to cdtools 0.3.2 as its models call it, with the ε that it adds by default."""

import torch
from cdtools.tools import losses, measurements, propagators
from parity_binding import binds


@binds("optics.far_field_amplitude")
def far_field_amplitude(exit_waves):
    return measurements.incoherent_sum(propagators.far_field(exit_waves)).sqrt()


@binds("losses.poisson_nll", unasked=("observed",))
def poisson_nll(predicted, observed, full):
    counts, rates = observed.square(), predicted.square()
    pairs = [losses.poisson_nll(*pair, subtract_min=not full) for pair in zip(counts, rates)]
    return torch.stack(pairs) + full * torch.lgamma(counts + 1).sum((1, 2, 3))
