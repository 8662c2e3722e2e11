"""The steps of a pipeline in their order, and what is compared at each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from parity.physics.kinds import AMPLITUDE, GROUPS, OBJECT, PARAMETERS, PER_GROUP, POSITIONS, PROBE, SCALAR, SCAN, Kind


class PipelineStep(StrEnum):
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
        return self in (PipelineStep.LOAD, PipelineStep.GROUP, PipelineStep.NORMALISE)


CENTRES = Kind("centres of groups", "pixels, [x = column, y = row]", "BD")

QUANTITIES: Mapping[PipelineStep, Mapping[str, Kind]] = {
    PipelineStep.LOAD: {
        "diffraction": AMPLITUDE,
        "scan": SCAN,
        "probe": PROBE,
        "intensity_scale": SCALAR,
        "weights": PARAMETERS,
    },
    PipelineStep.GROUP: {"groups": GROUPS, "positions": POSITIONS, "centres": CENTRES},
    PipelineStep.NORMALISE: {"normalization": SCALAR, "images": AMPLITUDE, "observed": AMPLITUDE, "log_scale": SCALAR},
    PipelineStep.PREDICT: {"patches": OBJECT, "predicted": AMPLITUDE},
    PipelineStep.LOSS: {"nll": PER_GROUP, "mae": SCALAR, "loss": SCALAR},
}
"""The kinds of what each step gives; the gradients are those of the contract of the loss."""
