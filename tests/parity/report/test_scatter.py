"""Plots of errors: where points lie, what is named, and axes that people can read."""

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from parity.report.content import ContractReport
from parity.report.html.scales import MOST_TICKS, power_of_ten, powers, stepped
from parity.report.html.scatter import BOTTOM, LEFT, RIGHT, TOP, Panel, panels

NUMBER = re.compile(r"M([-\d.]+) ([-\d.]+)")


def places(panel: Panel) -> list[tuple[float, float]]:
    """Where the points of a panel lie."""
    shapes = (*panel.within, *panel.outside)
    return [(float(x), float(y)) for shape in shapes for x, y in NUMBER.findall(shape.path)]


def test_every_example_is_a_point_in_each_stack_and_precision(held: Any) -> None:
    size, photons = panels(held())
    assert size.label == "N, pixels"
    assert photons.label == "photons in the mean pattern"
    assert len(places(size)) == len(places(photons)) == 5 * 2 * 2
    assert {shape.kind for shape in size.within} == {
        f"{stack} {precision}" for stack in ("tensorflow", "torch") for precision in ("f32", "f64")
    }
    assert "all 5 examples within the bound; worst: tensorflow 0.50, torch 0.25" in size.words


@pytest.mark.parametrize("ratio", [0.0, 1e-300, 1e-9, 1.0, 1e5, 1e300, math.inf])
def test_every_point_lies_in_the_frame_above_the_bound_only_if_it_is_outside(held: Any, ratio: float) -> None:
    for panel in panels(held(torch=ratio)):
        assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in places(panel))
        assert all((y < panel.bound) == (ratio > 1) for x, y in places(panel)[-10:])
        assert len(panel.outside) == (10 if ratio > 1 else 0)
        assert all(LEFT <= tick.at <= RIGHT for tick in panel.across)
        assert all(TOP <= tick.at <= BOTTOM for tick in panel.up)
        assert len(panel.up) <= MOST_TICKS + 2


def test_what_is_outside_is_named(held: Any) -> None:
    panel = panels(held(torch=2.5))[0]
    assert panel.outside[0].words == "even/0, torch, mae in float32: 2.50 times the bound"
    assert "5 of 5 examples outside the bound" in panel.words


def test_what_could_not_be_compared_is_above_all_and_says_why(held: Any) -> None:
    panel = panels(held(fault="raised ValueError"))[0]
    assert panel.outside[0].words == "even/0, torch, mae in float32: raised ValueError"
    assert ("∞", TOP) in [(tick.text, tick.at) for tick in panel.up]


def test_a_contract_without_photons_has_one_panel(held: Any) -> None:
    assert [panel.label for panel in panels(held("optics.illuminate"))] == ["N, pixels"]


def test_without_sizes_examples_are_numbered(held: Any) -> None:
    (panel,) = panels(replace(held(), coordinates={}))
    assert panel.label == "example"
    assert [tick.text for tick in panel.across] == ["1", "5"]
    assert len({x for x, _ in places(panel)}) == 5 * 4


def test_nothing_measured_nothing_drawn(held: Any) -> None:
    made: ContractReport = held()
    assert panels(replace(made, run=replace(made.run, measurements=()))) == ()


def test_a_scale_reaches_from_power_to_power_and_has_room_for_one_value() -> None:
    around = powers([9, 64], 2, 0, 100)
    assert (around.low, around.high, around.at(3), around.at(6)) == (3, 6, 0, 100)
    assert [tick.text for tick in around.ticks] == ["8", "16", "32", "64"]
    assert powers([64], 2, 0, 100).at(6) == 50


@pytest.mark.parametrize(("low", "high"), [(-3, 1), (-3, 16), (-8, 12), (0, 300)])
def test_ticks_are_few_and_1_is_among_them(low: int, high: int) -> None:
    ticks = stepped(low, high)
    assert 0 in ticks
    assert 2 <= len(ticks) <= MOST_TICKS
    assert low <= min(ticks)
    assert max(ticks) <= high


def test_powers_of_ten_in_words() -> None:
    assert [power_of_ten(n) for n in (-12, -1, 0, 1, 2, 13)] == ["10⁻¹²", "10⁻¹", "1", "10", "10²", "10¹³"]
