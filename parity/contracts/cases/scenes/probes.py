"""What probes are generated from."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.scenes.base import Drawn, Real


class Probes(Drawn):
    """Sizes, radii, powers."""

    @property
    def size(self) -> NDArray[np.int64]:
        """Pixels a side of a generated probe, ()."""
        return np.array(self.spec.height)

    @cached_property
    def radius(self) -> Real:
        """The radius of a disk, pixels, ()."""
        return self._radius("radius", 0.1, 0.6)

    @cached_property
    def width(self) -> Real:
        """The width of a Gaussian, pixels, ()."""
        return self._scalar("width", 0.1 * self.spec.height, 0.4 * self.spec.height)

    @cached_property
    def outer_radius(self) -> Real:
        """The radius of a zone plate, pixels of its plane, ()."""
        return self._radius("outer_radius", 0.3, 0.5)

    @cached_property
    def stop_radius(self) -> Real:
        """The radius of a zone plate's central stop, pixels of its plane, ()."""
        return self._radius("stop_radius", 0.05, 0.2)

    @cached_property
    def defocus(self) -> Real:
        """The defocus phase at a zone plate's rim, radians, ()."""
        return self._scalar("defocus", -20.0, 20.0)

    @cached_property
    def powers(self) -> Real:
        """The energies of the probe modes, relative, (P,)."""
        return self.spec.generator("powers").uniform(0.05, 1.0, self.spec.modes)

    @cached_property
    def probe_scale(self) -> Real:
        """The divisor of a normalised probe beside its mean modulus, ()."""
        return self._scalar("probe_scale", 0.1, 10.0, logarithmic=True)

    def _radius(self, name: str, low: float, high: float) -> Real:
        """A radius between `low` and `high` frames.

        Whole, with pixels of an odd grid at exactly that distance, or √(m + ¼), which no pixel is near: elsewhere the
        side on which a pixel falls would be a matter of rounding.
        """
        radius = self._scalar(name, low * self.spec.height, high * self.spec.height)
        if self.spec.whole:
            return np.array(max(1.0, float(np.round(radius))))
        return np.array(np.sqrt(np.floor(radius**2) + 0.25))
