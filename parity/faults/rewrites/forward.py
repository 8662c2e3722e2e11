"""Other ways to put prediction and losses together."""

from __future__ import annotations

import math

from parity.contracts.changes import Arguments, Change, given, giving, replaced, returning, then
from parity.contracts.fault import Rewrite
from parity.contracts.namespace import GROUP, Namespace, Tensor
from parity.faults.catalogue.wiring import counted, merged, own, some


def _turned(xp: Namespace, x: Tensor) -> Tensor:
    """Times e^i, which no far field shows."""
    cosine, sine = math.cos(1), math.sin(1)
    real, imag = xp.real(x), xp.imag(x)
    return xp.complex(real * cosine - imag * sine, real * sine + imag * cosine)


def _groups_backwards() -> Change:
    backwards = given(patches=lambda xp, x: xp.flip(x, 0), positions=lambda xp, x: xp.flip(x, 0))
    return then(backwards, returning(lambda xp, predicted, a: xp.flip(predicted, 0)))


def _scaled_first(xp: Namespace, a: Arguments) -> Tensor:
    """The exit waves scaled, where the amplitude is."""
    views = a.patches if a.weighting == "none" else merged(xp, a)
    exit_waves = own(xp, "optics.illuminate")(patches=views, probe=a.probe)
    return own(xp, "optics.far_field_amplitude")(exit_waves=xp.scaled(exit_waves, xp.exp(a.log_scale)))


def _terms_apart(xp: Namespace, a: Arguments) -> Tensor:
    model = ("patches", "positions", "probe", "log_scale", "rows", "columns", "weighting")
    predicted = own(xp, "forward.predict_amplitude")(**some(a, *model))
    nll = own(xp, "losses.poisson_nll")(predicted=counted(xp, predicted, a), observed=a.observed, full=True)
    mae = own(xp, "losses.mae")(predicted=predicted, observed=a.observed)
    realspace = own(xp, "losses.realspace_loss")(**some(a, "patches", "target", "tv_weight", "realspace_mae_weight"))
    nll = xp.mean(nll / xp.size(a.observed, GROUP))
    return a.realspace_weight * realspace + a.mae_weight * mae + a.nll_weight * nll


REWRITES = (
    Rewrite(
        "forward.predict_amplitude", "phase-of-object", "the object has another global phase", given(patches=_turned)
    ),
    Rewrite("forward.predict_amplitude", "phase-of-probe", "the probe has another global phase", given(probe=_turned)),
    Rewrite(
        "forward.predict_amplitude",
        "modes-backwards",
        "the modes are summed in the reverse order",
        given(probe=lambda xp, probe: xp.flip(probe, 0)),
    ),
    Rewrite(
        "forward.predict_amplitude",
        "groups-backwards",
        "the groups are taken in the reverse order",
        _groups_backwards(),
    ),
    Rewrite("forward.predict_amplitude", "scaled-first", "the exit waves are scaled", replaced(_scaled_first)),
    Rewrite("forward.training_objective", "terms-apart", "the terms are formed one by one", replaced(_terms_apart)),
    Rewrite(
        "forward.training_objective",
        "object-weights-multiplied-out",
        "the weight of the object's losses is multiplied into theirs",
        giving(
            lambda xp, a: {
                "realspace_weight": xp.ones_like(a.realspace_weight),
                "tv_weight": a.realspace_weight * a.tv_weight,
                "realspace_mae_weight": a.realspace_weight * a.realspace_mae_weight,
            }
        ),
    ),
)
