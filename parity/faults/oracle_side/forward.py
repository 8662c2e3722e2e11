"""Mistakes in how the contracts are put together: what is merged, lit, scaled and compared with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from parity.contracts.cases.families.canvases import UNMERGED
from parity.contracts.contract import Inputs
from parity.faults.in_oracle import Values
from parity.faults.oracle_side.base import (
    Formula,
    Mistake,
    of_argument,
    of_arguments,
    of_formula,
    of_result,
    plain,
    several,
)
from parity.faults.oracle_side.networks import KERNELS
from parity.faults.oracle_side.optics import pixels, unshifted
from parity.physics.oracle import forward as oracle
from parity.physics.oracle import losses, networks, optics, patches
from parity.physics.oracle.losses import training_loss


def _log_gamma(observed: NDArray[Any]) -> Any:
    return special.gammaln(observed**2 + 1)


def _lifted_logarithm(epsilon: float) -> Formula:
    """λ − k·ln(λ + ε): the loss of λ + ε, less ε a pixel, so that no digits cancel."""

    def nll(predicted: NDArray[Any], observed: NDArray[Any], full: bool = True) -> Any:
        lifted = np.sqrt(predicted**2 + epsilon)
        return losses.poisson_nll(lifted, observed, full) - epsilon * predicted[0].size

    return nll


def exchange(one: str, other: str) -> Formula:
    """Two arguments in each other's place."""
    return lambda **arguments: {one: arguments[other], other: arguments[one]}


def training_mistakes(arguments_of: Formula) -> tuple[Mistake, ...]:
    """Mistakes in the terms of a training loss, of whose arguments `arguments_of` makes those of `training_loss`."""

    def of_term(name: str, weight: str, change: Formula, applies: Any = lambda inputs: True) -> Mistake:
        """`change` takes predicted and observed amplitude and returns what is to be added, in units of a weight."""

        def results(values: Values, inputs: Inputs) -> dict[str, Any]:
            a = arguments_of(**plain(inputs))
            term = a[weight] * change(a["predicted"], a["observed"]) if a[weight] else 0.0  # 0 · ∞ is 0
            return {loss: value + term for loss, value in values.items()}

        return Mistake(name, results=results, applies=applies)

    def grouped(inputs: Inputs) -> bool:
        return len(inputs["observed"]) > 1

    def nll(predicted: NDArray[Any], observed: NDArray[Any], full: bool = True) -> Any:
        return np.mean(losses.poisson_nll(predicted, observed, full)) / predicted[0].size

    return (
        of_term(
            "observed enters the NLL unsquared (an amplitude where an intensity is meant)",
            "nll_weight",
            lambda p, o: nll(p, np.sqrt(o)) - nll(p, o),
        ),
        of_term("the term of the NLL in k alone is left out", "nll_weight", lambda p, o: nll(p, o, False) - nll(p, o)),
        of_term("ln Γ(k+1) is left out of the NLL", "nll_weight", lambda p, o: -np.mean(_log_gamma(o))),
        of_term(
            "ε = 1e-3 in the logarithm of the NLL",
            "nll_weight",
            lambda p, o: np.mean(_lifted_logarithm(1e-3)(p, o)) / p[0].size - nll(p, o),
        ),
        of_term("the factor 1/CHW of the NLL is missing", "nll_weight", lambda p, o: (p[0].size - 1) * nll(p, o)),
        of_term("the NLL is summed over groups", "nll_weight", lambda p, o: (len(p) - 1) * nll(p, o), grouped),
        of_term(
            "the MAE is of intensities",
            "mae_weight",
            lambda p, o: np.mean(np.abs(p**2 - o**2)) - losses.mae(p, o),
        ),
        of_term(
            "the MAE compares an intensity with an amplitude",
            "mae_weight",
            lambda p, o: np.mean(np.abs(p**2 - o)) - losses.mae(p, o),
        ),
        of_term("the MAE is summed, not averaged", "mae_weight", lambda p, o: (p.size - 1) * losses.mae(p, o)),
        of_arguments("nll_weight and mae_weight are exchanged", exchange("nll_weight", "mae_weight")),
        of_arguments("tv_weight and realspace_mae_weight are exchanged", exchange("tv_weight", "realspace_mae_weight")),
    )


_MODEL = ("patches", "positions", "probe", "log_scale", "rows", "columns", "weighting")
_WEIGHTS = ("nll_weight", "mae_weight", "realspace_weight", "tv_weight", "realspace_mae_weight")


def _is_merged(inputs: Inputs) -> bool:
    return bool(inputs["weighting"] != UNMERGED)


def _is_weighted(inputs: Inputs) -> bool:
    return bool(inputs["weighting"] in ("central", "probe"))


def _weight(arguments: Mapping[str, Any]) -> Any:
    if arguments["weighting"] == "probe":
        return patches.probe_weight(arguments["probe"])
    central = arguments["weighting"] == "central"
    return (patches.central_weight if central else patches.uniform_weight)(arguments["patches"])


def _lit(views: NDArray[Any], probe: NDArray[Any], log_scale: float) -> Any:
    """From what the patches are seen as to the predicted amplitude."""
    return optics.far_field_amplitude(optics.illuminate(views, probe)) * np.exp(log_scale)


def _predicted(merge: Formula, sign: float = 1) -> Formula:
    """A prediction with another `merge`, or another sign of the positions where patches are cut out again."""

    def predicted(**a: Any) -> Any:
        canvas = merge(a["patches"], a["positions"], _weight(a), a["rows"], a["columns"])
        views = patches.extract_patches(canvas, sign * a["positions"], *a["patches"].shape[-2:])
        return _lit(views, a["probe"], a["log_scale"])

    return predicted


def _coherent(probe: NDArray[Any], **others: Any) -> dict[str, Any]:
    return {"probe": probe.sum(axis=0, keepdims=True)}


def _unweighted_numerator(
    images: NDArray[Any], positions: NDArray[Any], weight: NDArray[Any], rows: int, columns: int
) -> Any:
    """A merge with weights in its denominator alone."""
    content, _ = patches._merged(images, positions, np.ones_like(weight), rows, columns)
    return content / patches._merged(images, positions, weight, rows, columns)[1]


def _batch_as_modes(patches: NDArray[Any], probe: NDArray[Any], **others: Any) -> dict[str, Any]:
    return {"probe": np.tile(probe, (len(patches), 1, 1))}


def _unmerged(**others: Any) -> dict[str, Any]:
    return {"weighting": np.array(UNMERGED)}


def _uniform(**others: Any) -> dict[str, Any]:
    return {"weighting": np.array("uniform")}


MERGE = (
    of_arguments("the patches are lit as they are, not merged", _unmerged, _is_merged),
    of_arguments("the merge is unweighted", _uniform, _is_weighted),
    of_arguments("the modes are summed coherently", _coherent, several("probe", 0)),
    of_argument("the scale divides where it must multiply", "log_scale", np.negative),
    of_argument("the root of the scale is used", "log_scale", lambda w: w / 2),
)
"""What can be wrong with the arguments of a prediction, wherever it is made."""

_IN_TERMS_OF_AMPLITUDE: Mapping[str, Formula] = {
    "a factor 1/HW is missing": lambda a: a * np.sqrt(pixels(a)),
    "fftshift is missing": unshifted,
}


def _objective_arguments(**arguments: Any) -> dict[str, Any]:
    """Those of `losses.training_loss` from those of `training_objective`."""
    predicted = oracle.predict_amplitude(**{name: arguments[name] for name in _MODEL})
    return {"predicted": predicted, **{name: arguments[name] for name in ("observed", "patches", "target", *_WEIGHTS)}}


def _reconstruction_arguments(**arguments: Any) -> dict[str, Any]:
    """Those of `losses.training_loss` from those of `reconstruction_loss`."""
    return _objective_arguments(**arguments, patches=_encoded(**arguments))


def _encoded(**arguments: Any) -> Any:
    beside = {*_MODEL, "observed", "target", *_WEIGHTS}
    return networks.autoencode(**{name: value for name, value in arguments.items() if name not in beside})


def _lossy(change: Formula, arguments_of: Formula) -> Formula:
    """The loss of a prediction that is wrong."""

    def loss(**arguments: Any) -> Any:
        made = arguments_of(**arguments)
        return training_loss(**{**made, "predicted": change(made["predicted"])})

    return loss


def _losses(arguments_of: Formula) -> tuple[Mistake, ...]:
    return (
        *MERGE,
        *(of_formula(name, _lossy(change, arguments_of)) for name, change in _IN_TERMS_OF_AMPLITUDE.items()),
        *training_mistakes(arguments_of),
    )


_HIDDEN = ("the merge is unweighted", "the modes are summed coherently", "the NLL is summed over groups")
"""Mistakes that a reconstruction's loss hides: its cases have one mode, and in single precision a wide bound."""

MISTAKES: Mapping[str, tuple[Mistake, ...]] = {
    "forward.predict_amplitude": (
        *MERGE,
        *(of_result(name, change) for name, change in _IN_TERMS_OF_AMPLITUDE.items()),
        of_formula(
            "patches are extracted with the sign of reassembly", _predicted(patches.reassemble_patches, -1), _is_merged
        ),
        of_formula("the numerator of the merge is unweighted", _predicted(_unweighted_numerator), _is_weighted),
        of_arguments("a probe for each group enters as its modes", _batch_as_modes, several("patches", 0)),
    ),
    "forward.training_objective": _losses(_objective_arguments),
    "forward.reconstruction_loss": tuple(
        mistake for mistake in (*_losses(_reconstruction_arguments), *KERNELS) if mistake.name not in _HIDDEN
    ),
}
