"""Defects of a prediction: what is merged, lit and scaled, and how."""

from __future__ import annotations

from typing import Any

from parity.contracts.changes import Arguments, given, giving, raw, replaced, returning
from parity.contracts.fault import Fault
from parity.contracts.namespace import PLANE, Namespace, Tensor
from parity.faults.catalogue.common import of_the_last, rounded
from parity.faults.catalogue.patches_merged import UNWEIGHTED_NUMERATOR
from parity.faults.catalogue.wiring import first_kept, merged, own
from parity.faults.generated import Generated

_OVERLAP = "patches that overlap"
_SCALED = "a scale other than 1"
_SEVERAL = "several groups"
_MODES = "several modes"


def _lit(xp: Namespace, a: Arguments, patches: Tensor) -> Tensor:
    """From what the patches are seen as to the predicted amplitude."""
    exit_waves = own(xp, "optics.illuminate")(patches=patches, probe=a.probe)
    amplitude = own(xp, "optics.far_field_amplitude")(exit_waves=exit_waves)
    return own(xp, "scaling.apply_intensity_scale")(amplitude=amplitude, log_scale=a.log_scale)


def _merged_and_lit(xp: Namespace, a: Arguments, sign: float) -> Tensor:
    """A prediction whose patches are read off the merged object where they were put, times a sign."""
    return _lit(xp, a, a.patches if a.weighting == "none" else merged(xp, a, sign))


def _lit_before_merged(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
    return {"patches": own(xp, "optics.illuminate")(patches=a.patches, probe=a.probe[:1])[:, :, 0]}


def _as_modes(xp: Namespace, a: Arguments) -> dict[str, Tensor]:
    """A probe for each group, taken for a mode."""
    one_each = xp.ones_like(xp.sum(xp.real(a.patches), (1, 2, 3), True))
    probes = xp.scaled(a.probe[None], one_each)
    return {"probe": xp.reshape(probes, (-1, *xp.shape(a.probe)[-2:]))}


def _detached(xp: Namespace, right: Any) -> Any:
    return lambda *arguments: xp.detach(right(*arguments))


def _summed_where_chunked(xp: Namespace, predicted: Tensor, a: Arguments) -> Tensor:
    groups, patches = xp.shape(predicted)[:2]
    return xp.sum(predicted, 0, True) if groups * patches >= 64 else predicted


def _last_chunk_repeated(xp: Namespace, predicted: Tensor, a: Arguments) -> Tensor:
    """Of more groups than a chunk of 64 holds, those beyond it have the first ones' amplitudes."""
    beyond = xp.shape(predicted)[0] - 64
    return predicted if beyond <= 0 else xp.concat([predicted[:64], predicted[:beyond]], 0)


UNNORMALISED = returning(lambda xp, amplitude, a: amplitude * xp.sqrt(xp.size(amplitude, PLANE)))
UNSHIFTED = returning(lambda xp, amplitude, a: xp.ifftshift(amplitude))

INGREDIENTS = (
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
        "modes-coherent",
        "the modes are summed coherently",
        given(probe=lambda xp, probe: xp.sum(probe, 0, True)),
        shows=_MODES,
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
)
"""Of what a prediction is made of."""

FAULTS: tuple[Fault | Generated, ...] = (
    *INGREDIENTS,
    Fault(
        "forward.predict_amplitude",
        "not-normalised",
        "a factor 1/HW is missing",
        UNNORMALISED,
        diagnosis=("a factor 1/HW is missing", "the result is a factor √(HW) too large"),
    ),
    Fault(
        "forward.predict_amplitude",
        "not-shifted",
        "fftshift is missing",
        UNSHIFTED,
    ),
    Fault(
        "forward.predict_amplitude",
        "extracted-as-reassembled",
        "patches are extracted with the sign of reassembly",
        replaced(lambda xp, a: _merged_and_lit(xp, a, -1.0)),
        shows="positions other than 0",
    ),
    Fault(
        "forward.predict_amplitude",
        "numerator-unweighted",
        "the numerator of the merge is unweighted",
        UNWEIGHTED_NUMERATOR,
        at="patches.reassemble_patches",
        shows=_OVERLAP,
    ),
    Fault(
        "forward.predict_amplitude",
        "probes-as-modes",
        "a probe for each group enters as its modes",
        giving(_as_modes),
        shows=_SEVERAL,
    ),
    Generated("forward.predict_amplitude", "result-squared", called="intensity-returned"),
    Generated("forward.predict_amplitude", "probe-first-mode", called="first-mode-alone"),
    Generated("forward.predict_amplitude", "probe-conjugated"),
    Generated(
        "forward.predict_amplitude",
        "positions-exchanged",
        shows=_OVERLAP,
        diagnosis=("x and y of the positions are exchanged", "it raises an error"),
    ),
    Generated("forward.predict_amplitude", "positions-of-first-group"),
    Generated(
        "forward.predict_amplitude",
        "positions-half-a-pixel-off",
        diagnosis=("the positions are half a pixel off", "a constant is added to positions", "it raises an error"),
    ),
    Generated("forward.predict_amplitude", "probe-detached"),
    Generated("forward.predict_amplitude", "patches-imaginary-part-detached", called="imaginary-part-detached"),
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
        "lit-before-merged",
        "the probe lights the patches before the merge as well",
        giving(_lit_before_merged),
        diagnosis=(),
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
        "complex64",
        "patches are rounded to complex64",
        given(patches=rounded("float32")),
        shows="a float64 run",
        diagnosis=("an intermediate is float32",),
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
