"""The steps of a pipeline in their order, and what is compared at each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from parity.physics.kinds import (
    AMPLITUDE,
    GROUPS,
    OBJECT,
    PARAMETERS,
    PER_GROUP,
    POSITIONS,
    PROBE,
    SCALAR,
    SCAN,
    Kind,
)


class Step(StrEnum):
    """What is done to a data set, from the file to the gradient."""

    LOAD = "load"
    GROUP = "group"
    NORMALISE = "normalise"
    PREDICT = "predict"
    LOSS = "loss"
    GRADIENT = "gradient"

    @property
    def is_reading(self) -> bool:
        """Whether it is a loader's, in which the stacks have the same bits."""
        return self in (Step.LOAD, Step.GROUP, Step.NORMALISE)


CENTRES = Kind("centres of groups", "pixels, [x = column, y = row]", "BD")

QUANTITIES: Mapping[Step, Mapping[str, Kind]] = {
    Step.LOAD: {
        "diffraction": AMPLITUDE,
        "scan": SCAN,
        "probe": PROBE,
        "intensity_scale": SCALAR,
        "weights": PARAMETERS,
    },
    Step.GROUP: {"groups": GROUPS, "positions": POSITIONS, "centres": CENTRES},
    Step.NORMALISE: {"normalization": SCALAR, "images": AMPLITUDE, "observed": AMPLITUDE, "log_scale": SCALAR},
    Step.PREDICT: {"patches": OBJECT, "predicted": AMPLITUDE},
    Step.LOSS: {"nll": PER_GROUP, "mae": SCALAR, "loss": SCALAR},
}
"""The kinds of what each step gives; the gradients are those of the contract of the loss."""
