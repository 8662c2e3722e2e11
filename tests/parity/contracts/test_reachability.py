import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import ROOT
from parity.contracts.reachability import callers_in, nearest_first


@pytest.fixture(scope="module")
def callers():
    return callers_in(ROOT / "ptycho_torch")


def test_the_contract_of_the_function_itself_comes_first_then_its_callers(callers):
    groups = nearest_first("losses.mae", callers, REGISTRY, "torch")
    assert groups[:3] == (("losses.mae",), ("losses.training_loss",), ("forward.training_objective",))


def test_a_private_function_is_reached_through_whatever_names_it(callers):
    assert nearest_first("losses._phase", callers, REGISTRY, "torch")[0] == ("losses.complex_mae",)


def test_a_constant_is_reached_like_a_function(callers):
    assert nearest_first("losses._SERIES_LIMIT", callers, REGISTRY, "torch")[0] == ("losses.poisson_nll",)


def test_a_function_is_reached_through_another_name_of_its_module(callers):
    reaching = nearest_first("patches.uniform_weight", callers, REGISTRY, "torch")
    assert "forward.predict_amplitude" in {name for group in reaching for name in group}


def test_a_module_class_leads_to_the_contract_that_it_is_an_entry_of(callers):
    assert nearest_first("model.PoissonLoss", callers, REGISTRY, "torch") == (("losses.poisson_nll",),)


def test_nothing_is_reached_from_where_nobody_calls(callers):
    assert nearest_first("losses._no_such_function", callers, REGISTRY, "torch") == ()
