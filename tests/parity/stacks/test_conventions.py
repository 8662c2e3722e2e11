"""Every convention that a binding can state, on code that has it, on code that has not, and on wrong code under it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parity._ground.errors import UsageError
from parity.contracts.cases.case import forced
from parity.contracts.conventions.reading import KNOWN, read
from parity.contracts.declared import REGISTRY
from parity.judging.examine import prepare
from parity.judging.measurement import Measurement
from parity.judging.omission import Omission, Omitted
from parity.physics.precision import FLOAT32, FLOAT64
from parity.stacks.foreign import Foreign
from parity.stacks.subjects import Subject
from parity.stacks.worker import binds


@dataclass(frozen=True)
class Row:
    """A contract, the conventions that a binding of it states, code in torch that has them, and what makes it wrong."""

    contract: str
    conventions: str
    code: str
    wrong: tuple[str, str]
    strata: tuple[str, ...] = ("even", "odd", "single", "dark", "faint", "bright")


MAE, NLL, FAR, MOVED = "losses.mae", "losses.poisson_nll", "optics.far_field_amplitude", "patches.translate"
CONSTANT = "torch.where(full, torch.lgamma(k + 1), torch.xlogy(k, k) - k)"
DEVIANCE = "(rate - k - torch.where(k > 0, k * (rate / torch.where(k > 0, k, 1)).log(), 0))"
FIELD = "torch.fft.fft2(exit_waves, norm='ortho').abs().square().sum(2)"

ROWS = {
    "arguments as intensity": Row(
        MAE,
        "intensity=('predicted', 'observed')",
        "(predicted.sqrt() - observed.sqrt()).abs().mean()",
        (".mean", ".sum"),
    ),
    "one argument as intensity": Row(
        MAE, "intensity=['observed']", "(predicted - observed.sqrt()).abs().mean()", ("predicted -", "2 * predicted -")
    ),
    "result as intensity": Row(
        FAR, "intensity=('amplitude',)", f"torch.fft.fftshift({FIELD}, dim=(-2, -1))", (".sum(2)", ".mean(2)")
    ),
    "both as intensity": Row(
        "scaling.apply_intensity_scale",
        "intensity=('amplitude', 'scaled')",
        "amplitude * (2 * log_scale).exp()",
        ("2 * log", "1 * log"),
    ),
    "readings as intensity": Row(
        "scaling.count_photons",
        "intensity=('amplitude',)",
        "(amplitude if amplitude.is_floating_point() else amplitude.double()).sum((2, 3))",
        ("(2, 3)", "(2,)"),
        ("even", "odd", "integers"),
    ),
    "in the corner": Row(
        FAR, "intensity=('amplitude',), corner=('amplitude',)", FIELD, (".sum(2)", ".sum(2).roll(1, -1)")
    ),
    "sum for mean": Row(MAE, "reduction='sum'", "(predicted - observed).abs().sum()", (".sum", ".mean")),
    "mean of every element": Row(
        "losses.absolute_error",
        "reduction='mean'",
        "(predicted - observed).abs().mean()",
        ("predicted -", "-predicted -"),
    ),
    "mean of each patch": Row(
        "losses.absolute_error",
        "reduction='mean HW'",
        "(predicted - observed).abs().mean((2, 3))",
        ("(2, 3)", "(1, 3)"),
    ),
    "mean for sum": Row(
        "losses.total_variation",
        "reduction='mean'",
        "sum(patches.diff(dim=d).abs().square().sum() for d in (2, 3)) / patches.numel()",
        ("numel()", "shape[0]"),
    ),
    "sum over groups too": Row(
        "scaling.count_photons", "reduction='sum'", "amplitude.square().sum()", (".square()", ".abs()"), ("even", "odd")
    ),
    "under a root": Row(
        MAE,
        "epsilon={'intensity of predicted': 0.0009765625}",
        "((predicted ** 2 + 2 ** -10).sqrt() - observed).abs().mean()",
        ("** -10", "** -12"),
    ),
    "on an amplitude": Row(
        MAE,
        "epsilon={'amplitude of observed': 0.125}",
        "(predicted - (observed + 0.125)).abs().mean()",
        ("0.125", "0.25"),
    ),
    "under the root of a result": Row(
        FAR,
        "epsilon={'intensity of amplitude': 1e-7}",
        f"(torch.fft.fftshift({FIELD}, dim=(-2, -1)) + 1e-7).sqrt()",
        ("1e-7", "1e-5"),
        ("even", "odd", "dark"),
    ),
    "in a logarithm": Row(
        NLL,
        "dropped='log k!', epsilon={'logarithm of predicted': 0.5}, intensity=('predicted', 'observed'), "
        "unasked=('observed',)",
        "(predicted - torch.xlogy(observed, predicted + 0.5)).sum((1, 2, 3))",
        ("+ 0.5", "+ 0.6"),
    ),
    "without ln k!": Row(
        NLL,
        "intensity=('predicted', 'observed'), dropped='log k!', epsilon={'intensity of predicted': 0.5}",
        "(predicted + 0.5 - observed * (predicted + 0.5).log()).sum((1, 2, 3))",
        ("0.5).", "0.6)."),
    ),
    "without the least value": Row(
        NLL,
        "dropped='saturated', epsilon={'intensity of predicted': 0.5}, unasked=('observed',)",
        f"(lambda k, rate: {DEVIANCE})(observed ** 2, predicted ** 2 + 0.5).sum((1, 2, 3))",
        ("rate - k -", "rate -"),
        ("even", "odd", "single", "dark"),
    ),
    "rows first": Row(
        "patches.relative_positions",
        "row_column=('positions', 'relative'), negated=('relative',)",
        "positions - positions.mean(1, keepdim=True) * positions.new_tensor([1, 1])",
        ("[1, 1]", "[1, 2]"),
        ("even", "odd"),
    ),
    "in half pixels": Row(
        "patches.relative_positions",
        "unit={'positions': 2, 'relative': 0.1}",
        "(positions.mean(1, keepdim=True) - positions) / 20",
        ("/ 20", "/ 10"),
        ("even", "odd"),
    ),
    "edges repeated": Row(
        MOVED, "edge='repeat', unasked=('positions',)", "moved(patches, positions)", ("positions)", "-positions)")
    ),
}

PACKAGE = '''
import torch


def moved(patches, positions):
    """Bilinear, with the outermost pixels repeated."""
    rows, columns = patches.shape[-2:]
    out = []
    for group, shifts in zip(patches, positions):
        for patch, (x, y) in zip(group, shifts):
            part = [-s - (-s).floor() for s in (y, x)]
            low = [torch.arange(n) + (-s).floor() for n, s in ((rows, y), (columns, x))]
            found = 0
            for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
                r = (low[0] + i).long().clamp(0, rows - 1)
                c = (low[1] + j).long().clamp(0, columns - 1)
                weight = (part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1])
                found = found + weight * patch[r][:, c]
            out.append(found)
    return torch.stack(out).reshape(patches.shape)
'''


def _sources() -> tuple[str, str]:
    """A package with every row's code, right and wrong, and its bindings: as stated, unstated, and wrong."""
    package, bindings = [PACKAGE], ["from parity_binding import Outside, binds\nimport mine\nimport torch\n"]
    for contract in dict.fromkeys(row.contract for row in ROWS.values()):
        bindings.append(f"@binds({contract!r})\ndef own(**given):\n    raise Outside('its names are asked')\n")
    for number, row in enumerate(ROWS.values()):
        arguments = ", ".join(argument.name for argument in REGISTRY[row.contract].arguments)
        unasked = row.conventions[row.conventions.index("unasked") :] if "unasked" in row.conventions else ""
        assert row.wrong[0] in row.code
        for kind, code in (("right", row.code), ("wrong", row.code.replace(*row.wrong))):
            package.append(f"def {kind}_{number}({arguments}):\n    return {code}\n")
        for kind, function, stated in (
            ("stated", "right", row.conventions),
            ("unstated", "right", unasked),
            ("wrong", "wrong", row.conventions),
        ):
            bindings.append(
                f"@binds({row.contract!r}, name='{kind}.n{number}', {stated})\n"
                f"def f({arguments}):\n    return mine.{function}_{number}({arguments})\n"
            )
    return "\n\n".join(package), "\n\n".join(bindings)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """A subject with all rows."""
    root = tmp_path_factory.mktemp("conventions")
    package, bindings = _sources()
    (root / "mine.py").write_text(package)
    (root / "bindings.py").write_text(bindings)
    file, python = root / "bindings.py", Path(sys.executable)
    subject = Subject("mine", "torch", "mine", root, file, python, (root,), file)
    framework = Foreign(subject)
    yield framework
    framework.end()


Found = tuple[dict[str, list[Measurement]], list[Omission]]
"""The measurements of every name, and what was not asked."""


@pytest.fixture(scope="module")
def found(mine: Foreign) -> dict[str, Found]:
    """All rows, by contract."""
    held: dict[str, Found] = {}
    for name in dict.fromkeys(row.contract for row in ROWS.values()):
        strata = {stratum for row in ROWS.values() if row.contract == name for stratum in row.strata}
        measurements: dict[str, list[Measurement]] = {}
        omissions: list[Omission] = []
        for case in forced(REGISTRY[name]):
            if case.stratum.name in strata:
                for example in prepare(case, (FLOAT32, FLOAT64), with_facts=True):
                    one = example.begin([mine]).measured()
                    omissions += one.omissions
                    for m in one.measurements:
                        measurements.setdefault(m.quantity.entry, []).append(m)
        held[name] = measurements, omissions
    return held


def of(found: dict[str, Found], row: Row, kind: str) -> list[Measurement]:
    number = list(ROWS.values()).index(row)
    return [m for m in found[row.contract][0][f"mine.{kind}.n{number}"] if m.case.partition("/")[0] in row.strata]


@pytest.mark.parametrize("name", ROWS)
def test_code_that_has_a_convention_agrees_where_it_is_stated(found: dict[str, Found], name: str) -> None:
    measured = of(found, ROWS[name], "stated")
    assert [m for m in measured if not m.agrees] == []
    assert {m.precision for m in measured} == {"f32", "f64"}
    assert max(m.ratio for m in measured) > 1e-3  # a bound that nothing comes near would be none


@pytest.mark.parametrize("kind", ["unstated", "wrong"])
@pytest.mark.parametrize("name", ROWS)
def test_without_it_or_wrong_under_it_code_disagrees(found: dict[str, Found], name: str, kind: str) -> None:
    off = [m for m in of(found, ROWS[name], kind) if not m.agrees]
    assert {m.precision for m in off} == {"f32", "f64"}


def test_what_a_convention_leaves_open_is_counted_and_never_judged(found: dict[str, Found]) -> None:
    number = list(ROWS).index("arguments as intensity")
    measurements, omissions = found[MAE]
    path = f"mine.stated.n{number}"
    dark = [o for o in omissions if o.omitted is Omitted.NOT_JUDGED and o.quantity == f"∂/∂observed of {path}"]
    assert {o.case for o in dark} >= {"dark/0"}
    for one in dark:
        left, every = (int(count) for count in one.why.split(" of "))
        of_case = [m for m in measurements[path] if (m.case, m.precision) == (one.case, one.precision)]
        judged = [(m.elements, m.undecided) for m in of_case if m.quantity.text == one.quantity]
        assert judged == ([(every - left, 0)] if left < every else [])


def test_what_a_binding_states_is_said_once_for_each_name(found: dict[str, Found]) -> None:
    _, omissions = found["patches.relative_positions"]
    said = {o.quantity: o.why for o in omissions if o.omitted is Omitted.IN_OWN_TERMS}
    number = list(ROWS).index("rows first")
    assert said[f"mine.stated.n{number}"] == (
        "positions as [row, column]; relative as [row, column]; relative with the other sign"
    )
    assert said[f"mine.wrong.n{number + 1}"] == "positions times 2; relative times 0.1"
    assert f"mine.unstated.n{number}" not in said


REFUSED = [
    (MAE, {"intensty": ["predicted"]}, "unknown convention 'intensty'; did you mean 'intensity'?"),
    (MAE, {"intensity": ["predicte"]}, "intensity: unknown argument or result 'predicte'; did you mean 'predicted'?"),
    (MAE, {"intensity": "predicted"}, "intensity: expected names of arguments and results, got 'predicted'"),
    (MAE, {"intensity": ["mae"]}, "intensity: expected an amplitude, got mae: scalar"),
    (MAE, {"epsilon": {"intensity of observd": 1.0}}, "epsilon: unknown place 'intensity of observd'; did you mean "),
    (
        MAE,
        {"epsilon": {"amplitude of observed": 0}},
        "epsilon: expected a positive number for amplitude of observed, got 0",
    ),
    (MAE, {"epsilon": {"logarithm of observed": 1.0}}, "epsilon: unknown place 'logarithm of observed'; did you mean "),
    (MAE, {"epsilon": 1e-3}, "epsilon: expected numbers by place, got 0.001"),
    (MAE, {"unit": {"observed": 2.0}}, "unit: unknown place 'observed'; this contract has none"),
    (
        MAE,
        {"reduction": "median"},
        "reduction: expected mean or sum, alone or before axes such as 'sum HW', got 'median'",
    ),
    (MAE, {"reduction": "sum HW"}, "reduction: expected B, C, H, W among the axes, got none of B, C: "),
    (NLL, {"reduction": "sum XCHW"}, "reduction: unknown axis 'X'; there are: B, C, H, W"),
    ("patches.extract_patches", {"reduction": "sum"}, "reduction: expected a result that has each axis from an arg"),
    (MAE, {"dropped": "log k!"}, "dropped: unknown value 'log k!'; this contract has none"),
    (NLL, {"dropped": "log k"}, "dropped: unknown value 'log k'; did you mean 'log k!'?"),
    (MAE, {"corner": ["mae"]}, "corner: expected what has rows and columns, got mae: scalar"),
    (MAE, {"row_column": ["observed"]}, "row_column: expected positions, got observed: amplitude"),
    (MAE, {"negated": ["observed"]}, "negated: expected what may have either sign, got observed: amplitude"),
    (MAE, {"edge": "repeat"}, "edge: expected one of patches.translate, patches.extract_patches, whose results see "),
    (MOVED, {"edge": "repeated"}, "edge: unknown value 'repeated'; did you mean 'repeat'?"),
    (MOVED, {"edge": 1}, "edge: expected a text, got 1"),
    ("training.adam_step", {"reduction": "sum"}, "reduction: expected a contract of one result that "),
]


@pytest.mark.parametrize(("contract", "stated", "said"), REFUSED)
def test_a_convention_that_makes_no_sense_is_refused(contract: str, stated: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(stated, REGISTRY[contract])
    assert str(refused.value).startswith(f"{contract}: {said}")


def test_what_is_stated_has_the_names_that_are_read() -> None:
    stated = set(inspect.signature(binds).parameters) - {"contract", "name", "unasked"}
    assert stated == set(KNOWN)
