"""What a contract is: finding one by name, and turning away inputs that it cannot be asked about."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity._ground.errors import UsageError
from parity.contracts.cases.case import Case, forced
from parity.contracts.cases.families import canvases, exposures, losses, optimizers
from parity.contracts.cases.families.exposures import ExposureStratum
from parity.contracts.cases.families.family import EVEN, ODD, Spec, Stratum, once
from parity.contracts.cases.families.probes import probe
from parity.contracts.changes import returning
from parity.contracts.contract import Argument, Contract, Result, Source
from parity.contracts.fault import Fault
from parity.contracts.registry import Registry
from parity.physics.kinds import AMPLITUDE, EXIT_WAVES, OBJECT, PROBE, SCALAR

ILLUMINATE = Contract(
    name="optics.illuminate",
    equation="ψ = p·O",
    arguments=(
        Argument("patches", OBJECT, exposures.patches, differentiable=True),
        Argument("probe", PROBE, probe),
        Argument("gain", SCALAR, exposures.log_scale),
    ),
    results=(Result("exit_waves", EXIT_WAVES),),
    strata=(ExposureStratum("even", "the common case", EVEN), ExposureStratum("odd", "rounding of halves", ODD)),
)
ABSENT, MAE, NLL = (
    Contract(name, "", (Argument("predicted", AMPLITUDE),), (Result("loss", SCALAR),), ())
    for name in ("optics.absent", "losses.mae", "losses.poisson_nll")
)
REGISTRY = Registry((ILLUMINATE, ABSENT, MAE, NLL))


def test_contracts_keep_their_order_and_are_found_by_name() -> None:
    assert list(REGISTRY) == ["optics.illuminate", "optics.absent", "losses.mae", "losses.poisson_nll"]
    assert len(REGISTRY) == 4
    assert REGISTRY["losses.mae"] is MAE


def test_membership_asks_without_raising() -> None:
    assert "losses.mae" in REGISTRY
    assert "losses.me" not in REGISTRY


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("losses.poison_nll", "unknown contract 'losses.poison_nll'; did you mean 'losses.poisson_nll'?"),
        (
            "zzz",
            "unknown contract 'zzz'; there are: losses.mae, losses.poisson_nll, optics.absent, optics.illuminate",
        ),
    ],
)
def test_an_unknown_name(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        REGISTRY[name]
    assert str(caught.value) == message


def test_a_name_declared_twice() -> None:
    with pytest.raises(ValueError, match=r"^contract losses\.mae is declared twice$"):
        Registry((MAE, NLL, MAE))


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ((), (ILLUMINATE, ABSENT, MAE, NLL)),
        (("losses",), (MAE, NLL)),
        (("losses.poisson_nll", "losses"), (NLL, MAE)),
        (("losses.mae", "losses.mae"), (MAE,)),
    ],
)
def test_selecting_by_name_and_by_file(names: tuple[str, ...], chosen: tuple[Contract, ...]) -> None:
    assert REGISTRY.select(names) == chosen


@pytest.mark.parametrize("name", ["loss", "losses.", "optics.illuminat", ""])
def test_selecting_nothing_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=f"^unknown contract '{name}'"):
        REGISTRY.select((name,))


def test_a_name_is_an_address() -> None:
    assert (ILLUMINATE.module, ILLUMINATE.function) == ("optics", "illuminate")
    assert [argument.name for argument in ILLUMINATE.differentiable] == ["patches"]


def test_the_oracle_is_found_by_address() -> None:
    from parity.physics.oracle import optics

    assert ILLUMINATE.oracle() is optics.illuminate
    assert ILLUMINATE.oracle_vjp() is optics.illuminate_vjp


def test_a_contract_without_an_oracle() -> None:
    with pytest.raises(LookupError, match=r"^parity\.physics\.oracle\.optics has no absent, which a contract needs$"):
        ABSENT.oracle()


def test_strata_by_name() -> None:
    assert ILLUMINATE.stratum("odd") is ILLUMINATE.strata[1]
    with pytest.raises(UsageError) as caught:
        ILLUMINATE.stratum("evn")
    assert str(caught.value) == "unknown stratum 'evn' of optics.illuminate; did you mean 'even'?"


def inputs(patches: tuple[int, ...] = (2, 1, 8, 9), probe: tuple[int, ...] = (3, 8, 9)) -> dict[str, NDArray[Any]]:
    return {"patches": np.ones(patches, complex), "probe": np.ones(probe, complex), "gain": np.array(1.0)}


def test_inputs_that_fit() -> None:
    ILLUMINATE.check(inputs())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"patches": inputs()["patches"]}, "probe: expected probe, got nothing"),
        (inputs(probe=(3, 8, 8)), "probe: expected W = 9 as in patches, got shape (3, 8, 8)"),
        (inputs(probe=(3, 9, 8)), "probe: expected H = 8 as in patches, got shape (3, 9, 8)"),
        (inputs(probe=(8, 9)), "probe: expected probe (P, H, W), got shape (8, 9)"),
    ],
    ids=["missing", "other columns", "other rows", "no mode axis"],
)
def test_inputs_that_do_not_fit(given: dict[str, NDArray[Any]], message: str) -> None:
    with pytest.raises(ValueError, match=r"^probe: expected ") as caught:
        ILLUMINATE.check(given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("source", "stratum", "refused"),
    [
        (exposures.observed, optimizers.STEPS[0], "ExposureSpec, stratum 'first' draws OptimizerSpec"),
        (optimizers.gradient, exposures.SHAPES[0], "OptimizerSpec, stratum 'even' draws ExposureSpec"),
        (canvases.rows, exposures.SHAPES[0], "CanvasSpec, stratum 'even' draws ExposureSpec"),
        (losses.full, canvases.SHAPES[0], "LossSpec, stratum 'even' draws CanvasSpec"),
        (probe, optimizers.STEPS[0], "LitSpec, stratum 'first' draws OptimizerSpec"),
    ],
)
def test_a_contract_is_of_one_family(source: Source, stratum: Stratum, refused: str) -> None:
    with pytest.raises(UsageError) as caught:
        Contract("losses.mae", "", (Argument("a", AMPLITUDE, source),), (Result("loss", SCALAR),), (stratum,))
    assert str(caught.value) == f"losses.mae: argument 'a' is made from {refused}"


def of_no_family(spec):  # type: ignore[no-untyped-def]
    return np.ones((1, 1, *spec.frame))


@pytest.mark.parametrize("source", [exposures.observed, probe, losses.mae_weight, canvases.rows, of_no_family])
def test_a_family_has_the_arguments_of_those_that_it_extends(source: Source) -> None:
    Contract("losses.mae", "", (Argument("a", AMPLITUDE, source),), (Result("loss", SCALAR),), canvases.SHAPES)


def test_an_argument_that_comes_from_nowhere() -> None:
    contract = replace(MAE, strata=exposures.SHAPES)
    with pytest.raises(
        UsageError, match=r"^predicted: expected a source that makes it from a specification, got none$"
    ):
        next(forced(contract)).inputs()


def test_inputs_of_ones_own_are_a_family() -> None:
    """Two arguments of one draw: no family is declared for them, and no specification."""
    drawn = []

    @once
    def pair(spec: Spec) -> dict[str, NDArray[Any]]:
        drawn.append(spec.seed)
        return dict(zip(("x", "y"), spec.generator("pair").random((2, 2, 1, *spec.frame)), strict=True))

    def one(name: str) -> Argument:
        return Argument(name, AMPLITUDE, lambda spec: pair(spec)[name], differentiable=True)

    contract = replace(MAE, arguments=(one("x"), one("y")), strata=(Stratum("odd", "halves", ODD),))
    inputs = Case(contract, contract.strata[0], 1).inputs()
    assert [array.shape for array in inputs.values()] == [(2, 1, 15, 15)] * 2
    assert (inputs["x"] != inputs["y"]).any()
    assert drawn == [1]


def test_another_contracts_faults_are_refused() -> None:
    fault = Fault("losses.mae", "doubled", "the result is doubled", returning(lambda xp, mae, a: 2 * mae))
    assert replace(MAE, faults=(fault,)).faults == (fault,)
    with pytest.raises(UsageError, match=r"losses\.poisson_nll: expected faults of its own, got losses\.mae/doubled"):
        replace(NLL, faults=(fault,))
