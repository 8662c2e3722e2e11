"""Defects of a prediction: what is merged, lit and scaled, and how."""

from __future__ import annotations

from typing import Any

from parity.faults.base import Fault
from parity.faults.catalogue.common import imaginary_part_detached, of_the_last, rounded
from parity.faults.catalogue.wiring import first_kept, merged, own
from parity.faults.changes import Arguments, given, giving, raw, replaced, returning
from parity.faults.namespace import PLANE, Namespace, Tensor

_OVERLAP = "patches that overlap"
_SCALED = "a scale other than 1"
_SEVERAL = "several groups"
_MODES = "several modes"


def _lit(xp: Namespace, a: Arguments, patches: Tensor) -> Tensor:
    """From what the patches are seen as to the predicted amplitude."""
    exit_waves = own(xp, "optics.illuminate")(patches=patches, probe=a.probe)
    amplitude = own(xp, "optics.far_field_amplitude")(exit_waves=exit_waves)
    return own(xp, "scaling.apply_intensity_scale")(amplitude=amplitude, log_scale=a.log_scale)


def _with_the_other_sign(xp: Namespace, a: Arguments) -> Tensor:
    return _lit(xp, a, a.patches if a.weighting == "none" else merged(xp, a, -1.0))


def _lit_before_merged(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
    return {"patches": own(xp, "optics.illuminate")(patches=a.patches, probe=a.probe[:1])[:, :, 0]}


def _as_modes(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
    """A probe for each group, taken for a mode."""
    one_each = xp.ones_like(xp.sum(xp.real(a.patches), (1, 2, 3), True))
    probes = xp.scaled(a.probe[None], one_each)
    return {"probe": xp.reshape(probes, (-1, *xp.shape(a.probe)[-2:]))}


def _detached(xp: Namespace, right: Any) -> Any:
    return lambda *arguments: xp.detach(right(*arguments))


def _first_of(axis: int) -> Any:
    def repeated(xp: Namespace, x: Tensor) -> Tensor:
        return xp.broadcast_like(x[:1] if axis == 0 else x[:, :1], x)

    return repeated


def _summed_where_chunked(xp: Namespace, predicted: Tensor, a: Arguments) -> Tensor:
    groups, patches = xp.shape(predicted)[:2]
    return xp.sum(predicted, 0, True) if groups * patches >= 64 else predicted


def _last_chunk_repeated(xp: Namespace, predicted: Tensor, a: Arguments) -> Tensor:
    """Of more groups than a chunk of 64 holds, those beyond it have the first ones' amplitudes."""
    beyond = xp.shape(predicted)[0] - 64
    return predicted if beyond <= 0 else xp.concat([predicted[:64], predicted[:beyond]], 0)


FAULTS = (
    Fault(
        "forward.predict_amplitude",
        "intensity-returned",
        "the result is squared",
        returning(lambda xp, r, a: xp.square(r)),
    ),
    Fault(
        "forward.predict_amplitude",
        "not-merged",
        "the patches are lit as they are, not merged",
        giving(lambda xp, a: {"weighting": "none"}),
        shows=_OVERLAP,
    ),
    Fault(
        "forward.predict_amplitude",
        "merge-unweighted",
        "the merge is unweighted",
        giving(lambda xp, a: {"weighting": "none" if a.weighting == "none" else "uniform"}),
        shows=_OVERLAP,
    ),
    Fault(
        "forward.predict_amplitude",
        "weighted-by-probe",
        "the probe weighs the merge where the centre should",
        giving(lambda xp, a: {"weighting": "probe" if a.weighting == "central" else a.weighting}),
        shows=_OVERLAP,
        diagnosis=(),
    ),
    Fault(
        "forward.predict_amplitude",
        "merge-weight-detached",
        "the weight of the merge is detached",
        raw(_detached),
        at="forward._weight",
        shows="a merge weighted by the probe",
        diagnosis=(),
    ),
    Fault(
        "forward.predict_amplitude",
        "extracted-as-reassembled",
        "patches are extracted with the sign of reassembly",
        replaced(_with_the_other_sign),
        shows="positions other than 0",
    ),
    Fault(
        "forward.predict_amplitude",
        "modes-coherent",
        "the modes are summed coherently",
        given(probe=lambda xp, probe: xp.sum(probe, 0, True)),
        shows=_MODES,
    ),
    Fault(
        "forward.predict_amplitude",
        "first-mode-alone",
        "only the first mode of probe counts",
        given(probe=lambda xp, probe: probe[:1]),
        shows=_MODES,
    ),
    Fault(
        "forward.predict_amplitude",
        "probes-as-modes",
        "a probe for each group enters as its modes",
        giving(_as_modes),
        shows=_SEVERAL,
    ),
    Fault(
        "forward.predict_amplitude",
        "probe-conjugated",
        "conjugate of probe",
        given(probe=lambda xp, probe: xp.conj(probe)),
    ),
    Fault(
        "forward.predict_amplitude",
        "lit-before-merged",
        "the probe lights the patches before the merge as well",
        giving(_lit_before_merged),
        diagnosis=(),
    ),
    Fault(
        "forward.predict_amplitude",
        "scale-divides",
        "the scale divides where it must multiply",
        given(log_scale=lambda xp, w: -w),
        shows=_SCALED,
    ),
    Fault(
        "forward.predict_amplitude",
        "scale-of-intensities",
        "the root of the scale is used",
        given(log_scale=lambda xp, w: w / 2),
        shows=_SCALED,
    ),
    Fault(
        "forward.predict_amplitude",
        "stale-scale",
        "the scale of the first call is kept",
        first_kept("log_scale"),
        stacks=("torch",),
        shows="two models in one process",
        diagnosis=(),
    ),
    Fault(
        "forward.predict_amplitude",
        "not-shifted",
        "fftshift is missing",
        returning(lambda xp, r, a: xp.ifftshift(r)),
    ),
    Fault(
        "forward.predict_amplitude",
        "not-normalised",
        "a factor 1/HW is missing",
        returning(lambda xp, r, a: r * xp.sqrt(xp.size(r, PLANE))),
        diagnosis=("a factor 1/HW is missing", "the result is a factor √(HW) too large"),
    ),
    Fault(
        "forward.predict_amplitude",
        "positions-exchanged",
        "x and y of the positions are exchanged",
        given(positions=lambda xp, r: xp.flip(r, -1)),
        shows=_OVERLAP,
        diagnosis=("x and y of the positions are exchanged", "it raises an error"),
    ),
    Fault(
        "forward.predict_amplitude",
        "positions-of-first-group",
        "the first group's positions are used for all groups",
        given(positions=_first_of(0)),
        shows=_SEVERAL,
    ),
    Fault(
        "forward.predict_amplitude",
        "positions-half-a-pixel-off",
        "the positions are half a pixel off",
        given(positions=lambda xp, r: r + 0.5),
        diagnosis=("the positions are half a pixel off", "a constant is added to positions", "it raises an error"),
    ),
    Fault(
        "forward.predict_amplitude",
        "probe-detached",
        "probe is detached",
        given(probe=lambda xp, probe: xp.detach(probe)),
    ),
    Fault(
        "forward.predict_amplitude",
        "imaginary-part-detached",
        "the imaginary part of patches is detached",
        given(patches=imaginary_part_detached),
    ),
    Fault(
        "forward.predict_amplitude",
        "complex64",
        "an intermediate is float32",
        given(patches=rounded("float32")),
        shows="a float64 run",
    ),
    Fault(
        "forward.predict_amplitude",
        "last-patch-shifted",
        "the last patch of a group is a pixel off",
        given(patches=of_the_last(lambda xp, x: xp.roll(x, 1, -1), 1)),
        diagnosis=(),
    ),
    Fault(
        "forward.predict_amplitude",
        "chunks-summed",
        "groups are summed once a chunk of 64 patches is full",
        returning(_summed_where_chunked),
        stacks=("torch",),
        shows="64 patches or more",
        diagnosis=(),
    ),
    Fault(
        "forward.predict_amplitude",
        "last-chunk-repeated",
        "groups beyond a chunk of 64 have the first ones' amplitudes",
        returning(_last_chunk_repeated),
        stacks=("torch",),
        shows="more than 64 groups",
        diagnosis=(),
    ),
)
