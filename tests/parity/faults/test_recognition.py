"""Faults made in the oracle: each is what it says, changes nothing else, and is told from the truth by some case."""

import math
from collections.abc import Callable
from functools import cache, lru_cache, reduce

import numpy as np
import pytest

from parity.contracts.cases.case import Case, forced, precisions_of
from parity.contracts.changes import Change, given, giving, raw, replaced, returning
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.contracts.namespace import Namespace, Tensor
from parity.faults import KNOWN
from parity.faults.catalogue import (
    ROWS,
    dataloader,
    forward,
    forward_losses,
    losses,
    losses_object,
    networks,
    networks_blocks,
    networks_spectral,
    patches,
    patches_merged,
    patches_moved,
    patches_orders,
    probe,
    scaling,
    training,
)
from parity.faults.generated import Generated, generated_faults
from parity.faults.in_oracle import made_in_oracle
from parity.faults.namespace import NUMPY
from parity.faults.recognition import is_recognised, own_faults, recognised_faults
from parity.judging.measurement import distance
from parity.judging.quantity import Arrays, gradient_of, result_of
from parity.judging.truth import Truth
from parity.physics.oracle import losses as losses_oracle
from parity.physics.precision import FLOAT32

TOLD = 10.0
"""How many times a bound a wrong result must exceed to be told from the right one."""

FURTHER_SEEDS = (1, 2, 3)
"""Tried where the first cases of all strata do not tell a fault."""

COSTLY = (
    "networks.autoencode@64",
    "networks.autoencode@128",
    "networks.autoencode@256",
    "forward.reconstruction_loss@32",
)
"""Contracts whose generic faults take long; the last one's bounds are wide besides."""


def widened(array: np.ndarray) -> np.ndarray:
    """Data in double precision, readings as they are; read only."""
    wide = array.astype(np.result_type(array, np.float64)) if np.issubdtype(array.dtype, np.inexact) else array.copy()
    wide.flags.writeable = False
    return wide


class Asked:
    """A case that was put to the oracle in single precision, which detector readings alone do not have."""

    def __init__(self, case: Case) -> None:
        inputs = case.inputs()
        (precision,) = precisions_of(inputs, (FLOAT32,))
        self.contract, self.name = case.contract, case.name
        self.inputs = {
            a.name: inputs[a.name] if a.kind.static else widened(precision.round(inputs[a.name]))
            for a in case.contract.arguments
        }
        self.bounded = dict(Truth.of(case, inputs, precision).quantities)
        self.truth = {quantity: widened(bounded.value) for quantity, bounded in self.bounded.items()}

    def wrong(self, fault: Fault) -> Arrays | None:
        return made_in_oracle(fault, self.contract, self.inputs, self.truth)

    def ratio(self, fault: Fault) -> float:
        """By how many times a bound the fault exceeds it; 0 where it has no meaning."""
        bounded = self.bounded
        return max(
            (distance(x, bounded[q].value, bounded[q].allowed).ratio for q, x in (self.wrong(fault) or {}).items()),
            default=0.0,
        )


@cache
def first_cases(name: str) -> tuple[Asked, ...]:
    return tuple(Asked(case) for case in forced(REGISTRY[name]))


@lru_cache(maxsize=32)
def further_case(name: str, stratum: str, seed: int) -> Asked:
    contract = REGISTRY[name]
    return Asked(Case(contract, contract.stratum(stratum), seed))


def asked(name: str, stratum: str) -> Asked:
    return next(found for found in first_cases(name) if found.name == f"{stratum}/0")


def named(contract: Contract, what: str) -> Fault:
    return next(fault for fault in recognised_faults(contract) if fault.what == what)


def is_told(contract: Contract, fault: Fault) -> bool:
    if any(found.ratio(fault) >= TOLD for found in first_cases(contract.name)):
        return True
    further = (further_case(contract.name, stratum.name, seed) for seed in FURTHER_SEEDS for stratum in contract.strata)
    return any(case.ratio(fault) >= TOLD for case in further)


@pytest.mark.parametrize("contract", REGISTRY.values(), ids=lambda contract: contract.name)
def test_every_fault_of_a_function_is_told_from_the_truth(contract: Contract) -> None:
    own = own_faults(contract)
    assert len(own) >= 2
    assert [fault.what for fault in own if not is_told(contract, fault)] == []


@pytest.mark.parametrize(
    "contract", [contract for name, contract in REGISTRY.items() if name not in COSTLY], ids=lambda c: c.name
)
def test_first_cases_tell_a_thousandth_a_missing_result_and_every_detached_argument(contract: Contract) -> None:
    ratios = {
        fault.what: max(case.ratio(fault) for case in first_cases(contract.name))
        for fault in recognised_faults(contract)
    }
    plain_ones = [
        name
        for name in ratios
        if name.endswith((" is 0", "is 10⁻³ of itself too large", "is detached", "are detached"))
    ]
    assert len(plain_ones) >= 2 * len(contract.results) + len(contract.differentiable)
    assert [name for name in plain_ones if ratios[name] < TOLD] == []


@pytest.mark.parametrize("contract", REGISTRY.values(), ids=lambda contract: contract.name)
def test_causes_are_unique_and_a_functions_own_come_first(contract: Contract) -> None:
    faults = recognised_faults(contract)
    assert len({fault.what for fault in faults}) == len(faults)
    own = own_faults(contract)
    assert faults[: len(own)] == own


def test_a_name_that_follows_from_kinds_stands_for_that_in_the_catalogue_too() -> None:
    faults = [fault for contract in REGISTRY.values() for fault in generated_faults(contract).values() if fault.stacks]
    assert {f.full_name: KNOWN[f.full_name].what for f in faults} == {f.full_name: f.what for f in faults}


def test_every_row_for_a_fault_that_follows_from_kinds_has_one() -> None:
    rows = [row for row in ROWS if isinstance(row, Generated)]
    assert rows
    assert [f"{row.target}/{row.name}" for row in rows if not row.faults] == []


def test_a_fault_that_no_longer_follows_is_gone() -> None:
    assert Generated("losses.mae", "predicted-squared").faults
    assert Generated("losses.mae", "predicted-cubed").faults == ()
    assert Generated("losses.mea", "predicted-squared").faults == ()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r)), True),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), diagnosis=("twice", "doubled")), True),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), stacks=()), True),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), diagnosis=("twice",)), False),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), diagnosis=()), False),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), blind=True), False),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), at="losses._mean"), False),
        (Fault("losses.mae", "f", "doubled", raw(lambda xp, r: r), at="losses.absolute_error"), True),
    ],
)
def test_a_fault_is_recognised_by_its_own_words_alone(fault: Fault, expected: bool) -> None:
    assert is_recognised(fault) == expected


def test_a_changed_argument_changes_all_results_and_no_gradient() -> None:
    contract = REGISTRY["training.adam_step"]
    case = first_cases(contract.name)[0]
    wrong = case.wrong(named(contract, "β₁ and β₂ are exchanged"))
    assert wrong is not None
    assert [quantity.text for quantity in wrong] == ["parameters", "first_moment", "second_moment"]
    assert {array.dtype for array in wrong.values()} == {np.dtype(np.float64)}


def test_a_detached_argument_changes_its_gradient_alone() -> None:
    contract = REGISTRY["optics.illuminate"]
    case = first_cases(contract.name)[0]
    wrong = case.wrong(named(contract, "probe is detached"))
    assert wrong is not None
    assert list(wrong) == [gradient_of("probe")]
    assert not wrong[gradient_of("probe")].any()
    assert wrong[gradient_of("probe")].dtype == np.complex128


def test_readings_have_no_gradient_to_be_wrong() -> None:
    case = asked("scaling.count_photons", "readings")
    assert case.wrong(named(case.contract, "amplitude is detached")) is None


def test_only_integers_can_be_squared_before_they_are_widened() -> None:
    name = "integers are squared before they are widened"
    contract = REGISTRY["scaling.count_photons"]
    readings, floats = asked(contract.name, "readings"), asked(contract.name, "even")
    wrong = readings.wrong(named(contract, name))
    assert wrong is not None
    wrapped = (readings.inputs["amplitude"].astype(np.int64) ** 2 % 2**16).sum(axis=(-2, -1))
    assert np.allclose(wrong[result_of("photons")], wrapped, rtol=1e-12)
    assert floats.wrong(named(contract, name)) is None


def aimed_at(contract: str, what: str, change: Change, where: Callable[..., bool] = lambda inputs: True) -> Fault:
    return Fault(contract, what.replace(" ", "-"), what, change, where=where)


COMBINE = "optics.combine_complex"


@pytest.mark.parametrize(
    "fault",
    [
        aimed_at(COMBINE, "it never applies", returning(lambda xp, r, a: 2 * r), where=lambda inputs: False),
        aimed_at(COMBINE, "a row is missing", returning(lambda xp, r, a: r[..., 1:, :])),
        aimed_at(COMBINE, "the oracle refuses", given(phase=lambda xp, x: x[..., :5])),
        aimed_at(COMBINE, "a frame of nothing", given(phase=lambda xp, x: x[..., :0])),
        aimed_at(COMBINE, "nothing is changed", giving(lambda xp, a: {})),
    ],
    ids=lambda fault: fault.name,
)
def test_what_has_no_meaning_is_none(fault: Fault) -> None:
    assert asked(COMBINE, "even").wrong(fault) is None


def test_a_complex_number_cannot_stand_for_a_real_one() -> None:
    turned = aimed_at("losses.absolute_error", "turned", returning(lambda xp, error, a: 1j * error))
    assert asked("losses.absolute_error", "even").wrong(turned) is None


def test_a_fault_in_an_argument_that_there_is_not_is_an_error() -> None:
    unknown = aimed_at("losses.mae", "unknown", giving(lambda xp, a: {"target": a.observed}))
    with pytest.raises(TypeError, match="target"):
        asked("losses.mae", "even").wrong(unknown)


def test_the_oracle_is_not_asked_again_for_what_it_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    case = asked("losses.mae", "even")
    monkeypatch.setattr(losses_oracle, "mae", lambda predicted, observed: pytest.fail("asked again"))
    wrong = case.wrong(aimed_at("losses.mae", "doubled", returning(lambda xp, mae, a: 2 * mae)))
    assert wrong is not None
    assert wrong[result_of("mae")] == 2 * case.truth[result_of("mae")]


def test_a_function_within_another_is_wrong_while_that_is_asked_and_right_again() -> None:
    case = asked("losses.mae", "even")
    gain = returning(lambda xp, error, a: 2 * error)
    wrong = case.wrong(Fault("losses.mae", "doubled", "doubled", gain, at="losses.absolute_error"))
    assert wrong is not None
    assert wrong[result_of("mae")] == pytest.approx(2 * case.truth[result_of("mae")], rel=1e-12)
    again = losses_oracle.mae(case.inputs["predicted"], case.inputs["observed"])
    assert again == pytest.approx(case.truth[result_of("mae")], rel=1e-12)


def nll_of_one_pixel(name: str, predicted: float, observed: float, full: bool = True) -> float:
    """What the loss of a single pixel becomes with a fault."""
    contract = REGISTRY["losses.poisson_nll"]
    inputs = {
        "predicted": np.full((1, 1, 1, 1), predicted),
        "observed": np.full((1, 1, 1, 1), observed),
        "full": np.array(full),
    }
    with np.errstate(divide="ignore"):
        truth = {result_of("nll"): np.asarray(losses_oracle.poisson_nll(inputs["predicted"], inputs["observed"], full))}
    wrong = made_in_oracle(named(contract, name), contract, inputs, truth)
    assert wrong is not None
    return float(wrong[result_of("nll")][0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("observed enters unsquared (an amplitude where an intensity is meant)", 9 - 2 * np.log(9) + np.log(2)),
        (
            "observed enters squared (an intensity where an amplitude is meant)",
            9 - 16 * np.log(9) + math.lgamma(17),
        ),
        ("predicted and observed are exchanged", 4 - 9 * np.log(4) + np.log(362880)),
        ("both amplitudes enter unsquared", 3 - 2 * np.log(3) + np.log(2)),
        ("ln Γ(k+1) is left out", 9 - 4 * np.log(9)),
        ("the term in k alone is left out", 9 - 4 + 4 * np.log(4 / 9)),
        (
            "Stirling's approximation stands for ln Γ(k+1)",
            5 + 4 * np.log(4 / 9) + np.log(8 * np.pi) / 2,
        ),
        ("ε = 1e-3 in the logarithm", 9 - 4 * np.log(9 + 1e-3) + np.log(24)),
    ],
)
def test_a_pixel_costs_what_the_fault_says(name: str, expected: float) -> None:
    assert nll_of_one_pixel(name, predicted=3.0, observed=2.0) == pytest.approx(expected, rel=1e-12)


def test_an_epsilon_keeps_the_loss_of_a_dark_prediction_finite() -> None:
    assert nll_of_one_pixel("ε = 1e-8 in the logarithm", 0.0, 1.0) == pytest.approx(-np.log(1e-8), rel=1e-12)


def test_half_precision_keeps_eleven_bits_and_bfloat16_eight() -> None:
    fine = np.array([1 + 2**-10, 1 + 2**-12, -1 - 2**-7 - 2**-8, 1e6])
    with np.errstate(over="ignore"):
        assert NUMPY.through(fine, "float16").tolist() == [1 + 2**-10, 1.0, -1 - 2**-7 - 2**-8, np.inf]
    assert NUMPY.through(fine, "bfloat16")[:3].tolist() == [1.0, 1.0, -1 - 2**-7]
    assert NUMPY.through(fine[:2] * (1 + 1j), "bfloat16").tolist() == [1 + 1j, 1 + 1j]
    assert NUMPY.through(np.array(0.1), "float16").shape == ()


def greatest(xp: Namespace, several: list[Tensor]) -> Tensor:
    return reduce(xp.maximum, several)


RIGHT: dict[str, Change] = {
    "probe.disk": probe._of_radius(lambda xp, r, a: r < a.radius),
    "probe.zone_plate": probe._zone_plate(),
    "probe.mask": replaced(lambda xp, a: probe._mask(xp, a.probe)),
    "probe.normalize": probe._divided_by(lambda xp, p: xp.mean(probe._modulus(xp, p))),
    "patches.central_weight": patches._central(lambda xp, n: xp.floor((n - xp.floor(n / 2)) / 2)),
    "patches.translate": patches_moved._bordered(lambda xp, place, n: place),
    "patches.extract_patches": patches_moved._cut_out_at(lambda xp, a: a.positions),
    "patches.reassemble_patches": patches_merged._merged(patches_merged._right),
    "patches.padded_size": patches_orders._size_without(),
    "losses.poisson_nll": losses.in_the_logarithm(0.0),
    "losses.total_variation": losses_object._of_steps(rows=1, columns=1),
    "losses.complex_mae": replaced(
        lambda xp, a: losses_object._modulus_error(xp, a) + losses_object._phase_error(xp, a)
    ),
    "losses.realspace_loss": losses_object._unweighted(),
    "scaling.normalize_amplitude": scaling._scaled_by(0, 1, 2, 3),
    "dataloader.neighbour_groups": dataloader._of_the_nearest(),
    "training.adam_step": training._moved(training._plain),
    "networks.spectral_convolve": replaced(networks_spectral.by_matrices),
    "networks.max_pool": networks.elementwise(lambda xp, x: networks._pooled(xp, x, greatest)),
    "networks.upsample": networks.elementwise(networks.along(networks_blocks._repeated)),
    "networks.amplitude_head": networks_blocks._head(lambda xp, z: xp.sigmoid(z)),
    "networks.phase_head": networks_blocks._head(lambda xp, z: math.pi * xp.tanh(z)),
    "networks.encoder_block": networks_blocks._block("networks.max_pool"),
    "networks.decoder_block": networks_blocks._block("networks.upsample"),
    "forward.predict_amplitude": replaced(lambda xp, a: forward._merged_and_lit(xp, a, 1.0)),
    "forward.training_objective": replaced(forward_losses._trained),
}
"""What changes are made of, by contract, with the fault taken out."""


@pytest.mark.parametrize("name", RIGHT)
def test_a_change_without_its_fault_is_none(name: str) -> None:
    fault = aimed_at(name, "right", RIGHT[name])
    for case in first_cases(name):
        for quantity, array in (case.wrong(fault) or {}).items():
            assert np.allclose(array, case.truth[quantity], rtol=1e-9, atol=1e-12), case.name
