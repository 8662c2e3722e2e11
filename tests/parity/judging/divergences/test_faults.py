"""What is wrong with an entry, each sentence of it."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from parity.contracts.declared import REGISTRY
from parity.judging.divergences import (
    AnotherFormula,
    ConstantTerm,
    Divergence,
    Gauge,
    PositiveFactor,
    Reduction,
    SubDomain,
)
from parity.judging.divergences.factors import To
from parity.judging.divergences.faults import declared_faults, divergence_faults, measured_faults
from parity.judging.measurement import Measurement
from parity.judging.quantity import law_of, result_of

MAE = "losses.mae"
TODAY = date(2027, 3, 1)
ENTRY = Divergence(MAE, "torch", PositiveFactor(), 2.0, 4.0, "three for one", date(2027, 3, 1))
TITLE = "divergence of torch in losses.mae (PositiveFactor): "
STRATA = tuple(stratum.name for stratum in REGISTRY[MAE].strata)


def declared(*entries: Divergence) -> list[str]:
    return [fault.removeprefix(TITLE) for fault in declared_faults(entries, REGISTRY, TODAY)]


def test_an_entry_is_right_until_the_day_it_expires():
    assert declared(ENTRY) == []
    assert declared_faults((ENTRY,), REGISTRY, date(2027, 3, 2)) == (
        f"{TITLE}expired on 2027-03-01: find out whether it still has to be accepted",
    )


def test_today_is_today():
    assert declared_faults((replace(ENTRY, expires=date(2000, 1, 1)),), REGISTRY)
    assert not declared_faults((replace(ENTRY, expires=date(2999, 1, 1)),), REGISTRY)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stack": "torhc"}, "unknown stack 'torhc'; did you mean 'torch'?"),
        ({"quantities": ("nll",)}, "unknown result or gradient 'nll'; there are: mae, ∂/∂observed, ∂/∂predicted"),
        ({"strata": ("dork",)}, "unknown stratum 'dork'; did you mean 'dark'?"),
        ({"names": ("model.MAELoss",)}, "unknown name 'model.MAELoss'; there are: losses.mae"),
        ({"breaks": ("mae(A, A) = 1",)}, "unknown fact 'mae(A, A) = 1'; did you mean 'mae(A, A) = 0'?"),
        ({"low": 4.0, "high": 2.0}, "expected an interval from a lower to a higher size, got 4 to 2"),
        ({"low": np.nan}, "expected an interval from a lower to a higher size, got nan to 4"),
        ({"low": 0.5}, "expected an interval without 1, at which nothing differs, got 0.5 to 4"),
        (
            {"kind": AnotherFormula(lambda predicted, target: predicted)},
            "<lambda>: expected the arguments predicted, observed, got (predicted, target)",
        ),
        (
            {"kind": AnotherFormula(lambda predicted, observed: predicted, lambda predicted, observed: {})},
            "<lambda>: expected the arguments predicted, observed after cotangents, got (predicted, observed)",
        ),
        ({"kind": ConstantTerm(per="target")}, "unknown argument 'target'; there are: predicted, observed"),
        ({"kind": Reduction("target", "HW", To.SUM)}, "unknown argument 'target'; there are: predicted, observed"),
        ({"kind": Reduction("predicted", "HP", To.SUM)}, "unknown axis 'P' of predicted; there are: B, C, H, W"),
        ({"kind": Gauge()}, "expected a complex result, got none"),
    ],
)
def test_what_an_entry_may_not_say(changes, sentence):
    (fault,) = declared_faults((replace(ENTRY, **changes),), REGISTRY, TODAY)
    assert fault.partition(": ")[2] == sentence


def test_an_unknown_contract_is_named():
    (fault,) = declared_faults((replace(ENTRY, contract="losses.mea"),), REGISTRY, TODAY)
    assert fault.endswith(": unknown contract 'losses.mea'; did you mean 'losses.mae'?")


@pytest.mark.parametrize(
    ("changes", "overlap"),
    [
        ({}, True),
        ({"stack": "tensorflow"}, False),
        ({"contract": "losses.complex_mae"}, False),
        ({"strata": ("dark",)}, True),
        ({"kind": ConstantTerm(), "low": 2.0}, True),
        ({"quantities": ("∂/∂observed",)}, True),
    ],
)
def test_two_entries_may_not_be_in_the_same(changes, overlap):
    assert bool(declared(ENTRY, replace(ENTRY, **changes))) is overlap


def test_entries_may_share_a_contract():
    apart = (
        (replace(ENTRY, strata=("dark",)), replace(ENTRY, strata=("odd", "even"))),
        (replace(ENTRY, quantities=("mae",)), replace(ENTRY, quantities=("∂/∂observed",))),
    )
    assert [declared(*entries) for entries in apart] == [[], []]
    assert declared(ENTRY, ENTRY) == [
        "expected one entry for what it is in, got another, the divergence of torch in losses.mae (PositiveFactor)"
    ]


def measurements(size: float | None, strata: tuple[str, ...] = STRATA, **numbers: Any) -> list[Measurement]:
    return [
        Measurement(MAE, f"{stratum}/0", "f64", result_of("mae"), "torch", elements=1, divergence=size, **numbers)
        for stratum in strata
    ]


def measured(found: list[Measurement], entry: Divergence = ENTRY) -> list[str]:
    return [fault.removeprefix(TITLE) for fault in measured_faults((entry,), found, REGISTRY)]


def test_an_entry_that_shows_within_its_interval_is_right():
    assert measured(measurements(3.0)) == []
    assert measured(measurements(None, STRATA[1:]) + measurements(3.0, STRATA[:1])) == []


def test_an_entry_that_never_shows_is_taken_out():
    assert measured(measurements(None)) == [f"never shows in {len(STRATA)} examples: take it out"]


def test_of_an_entry_that_was_not_tried_throughout_it_is_not_said_that_it_never_shows():
    assert measured(measurements(None, STRATA[1:])) == []
    assert measured([]) == []
    assert measured(measurements(None, STRATA[:1]), replace(ENTRY, strata=STRATA[:1])) == [
        "never shows in 1 examples: take it out"
    ]


def test_a_size_beyond_the_interval_is_said_with_its_place():
    found = measurements(3.0, STRATA[2:]) + measurements(5.0, STRATA[:1], fault="left")
    assert measured([*found, *measurements(7.0, STRATA[1:2], fault="left")]) == [
        f"measured 7 in mae of case {STRATA[1]}/0 in f64, expected 2 to 4; outside in 2 of {len(STRATA)} examples"
    ]


def test_a_fact_that_is_said_to_break_must():
    fact = REGISTRY[MAE].facts[0].statement
    entry = replace(ENTRY, breaks=(fact,))
    holds = [replace(m, quantity=law_of(fact), divergence=None) for m in measurements(None)]
    assert measured(measurements(3.0) + holds, entry) == [f"does not break '{fact}', which it is said to"]
    breaks = [replace(m, divergence=1e9) for m in holds[:1]]
    assert measured(measurements(3.0) + holds[1:] + breaks, entry) == []


def test_a_domain_without_elements_leaves_nothing():
    entry = replace(ENTRY, kind=SubDomain(lambda inputs: np.zeros((), bool)), low=1e-9)
    none = [replace(m, elements=0) for m in measurements(3.0)]
    (fault,) = measured_faults((entry,), none, REGISTRY)
    assert fault.endswith(": leaves no element to be judged in any example")


def test_everything_together():
    faults = divergence_faults(
        (ENTRY, replace(ENTRY, contract="x")), measurements(None), REGISTRY, today=date(2028, 1, 1)
    )
    assert [fault.partition(": ")[2].split(" ")[0] for fault in faults] == ["expired", "unknown", "never"]
