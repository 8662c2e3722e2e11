"""What a case is made of: one simulated experiment, from which every contract takes the arrays it needs.

A scene is a specification turned into arrays, through `ptycho_exposures.diffsim`: an object without symmetry, a probe
without symmetry, an exposure with its photon noise, and a model's prediction of it. Its properties are named after the
arguments of the contracts and are canonical, float64 or complex128. Each draws from a random stream of its own, so
that an argument looks the same in every contract of a case.
"""

from __future__ import annotations

from parity.contracts.cases.scenes.losses import LossWeights
from parity.contracts.cases.scenes.networks import Networks
from parity.contracts.cases.scenes.optimizers import Optimizers
from parity.contracts.cases.scenes.probes import Probes
from parity.contracts.cases.scenes.scans import Scans


class Scene(Scans, Networks, Optimizers, Probes, LossWeights):
    """One simulated experiment."""
