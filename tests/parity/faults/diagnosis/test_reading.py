"""Fitted numbers as a person would write them."""

import math

import pytest

from parity.faults.diagnosis.parameters import number


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2.0, "2"),
        (0.25, "1/4"),
        (-1.0, "−1"),
        (math.pi, "π"),
        (2 * math.pi, "2π"),
        (math.sqrt(0.5), "1/√2"),
        (1 + 1e-6, "1 + 1e-06"),
        (1 - 1e-12, "1 − 1e-12"),
        (1234.5678, "1234.57"),
        (-0.3, "−0.3"),
        (1j, "0+1j"),
    ],
)
def test_a_number_is_named_where_it_has_a_name(value: complex, written: str) -> None:
    assert number(complex(value)) == written


def test_what_is_nearly_a_name_is_no_name() -> None:
    assert number(complex(math.pi * (1 + 1e-6))) == "3.1416"
