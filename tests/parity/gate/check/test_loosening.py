import numpy as np
import pytest

from parity.gate.check.figures import ALLOWED, EXACT, INPUT, ROUNDING, VALUE, Name
from parity.gate.check.loosening import Figures, loosened

WHERE = ("losses.mae", "odd/0 in f32", "mae")
WAS = {
    Name("losses.mae", "odd/0", "predicted", INPUT): np.array([1.0, 2.0]),
    Name(*WHERE, VALUE): np.array([1.0, np.nan]),
    Name(*WHERE, ROUNDING): np.array([1e-9, 1e-9]),
    Name(*WHERE, ALLOWED): np.array([1e-6, np.inf]),
    Name("losses.mae", "", "the layout of predicted in torch", EXACT): np.arange(4),
}


def said(noticed=None, **changed):
    """What is said where these parts of the figures are others; None stands for one that is gone."""
    now = {name: changed.get(name.part, array) for name, array in WAS.items()}
    now = Figures({name: array for name, array in now.items() if array is not None}, noticed or {"NaN": True})
    return list(loosened(Figures(WAS, {"NaN": True, "less than a bound": False}), now, "abc"))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({ALLOWED: np.array([2e-6, np.inf])}, "the bound of mae grew by up to 2 times since abc on the same cases"),
        ({ALLOWED: np.array([np.inf, np.inf])}, "mae has no bound any more in odd/0 in f32, which it had at abc"),
        ({VALUE: np.array([1.0 + 1e-6, np.nan])}, "mae moved by 1e+03 times what rounding can do since abc"),
        ({VALUE: np.array([np.nan, np.nan])}, "mae moved by inf times what rounding can do since abc"),
        ({VALUE: None}, "mae in odd/0 in f32 is no longer what it was at abc"),
        ({VALUE: np.array([1.0])}, "mae in odd/0 in f32 is no longer what it was at abc"),
        ({INPUT: np.array([1.0, 3.0])}, "the case odd/0 is another than at abc: predicted differs"),
        ({EXACT: np.arange(4)[::-1]}, "the layout of predicted in torch is another than at abc"),
    ],
)
def test_what_is_less_is_said(changed, sentence):
    ((contract, found),) = said(**changed)
    assert contract == "losses.mae"
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    "changed",
    [{}, {ALLOWED: np.array([1e-7, 1e-6])}, {VALUE: np.array([1.0 + 1e-10, np.nan])}],
    ids=["nothing", "a tighter bound", "rounding"],
)
def test_what_is_no_less_is_not(changed):
    assert said(**changed) == []


def test_of_another_case_other_figures_are_expected():
    ((_, found),) = said(**{INPUT: np.array([1.0, 3.0]), VALUE: np.array([5.0, np.nan])})
    assert "the case odd/0 is another" in found


def test_what_the_judge_no_longer_notices_is_said():
    assert said(noticed={"NaN": False}) == [("the judge", "it no longer notices: NaN")]
