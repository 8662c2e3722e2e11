import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import ROOT
from parity.contracts.reachability import graph_of, nearest_first


@pytest.fixture(scope="module")
def callers():
    return graph_of(ROOT, sorted(f"ptycho_torch.{file.stem}" for file in (ROOT / "ptycho_torch").glob("*.py"))).callers


def reaching(name, callers):
    return nearest_first(f"ptycho_torch.{name}", callers, REGISTRY, "ptycho_torch", "torch")


def test_the_contract_of_the_function_itself_comes_first_then_its_callers(callers):
    groups = reaching("losses.mae", callers)
    assert groups[:3] == (("losses.mae",), ("losses.training_loss",), ("forward.training_objective",))


def test_a_private_function_is_reached_through_whatever_names_it(callers):
    assert reaching("losses._phase", callers)[0] == ("losses.complex_mae",)


def test_a_constant_is_reached_like_a_function(callers):
    assert reaching("losses._SERIES_LIMIT", callers)[0] == ("losses.poisson_nll",)


def test_a_function_is_reached_through_another_name_of_its_module(callers):
    found = reaching("patches.uniform_weight", callers)
    assert "forward.predict_amplitude" in {name for group in found for name in group}


def test_a_module_class_leads_to_the_contract_that_it_is_an_entry_of(callers):
    assert reaching("model.PoissonLoss", callers) == (("losses.poisson_nll",),)


def test_nothing_is_reached_from_where_nobody_calls(callers):
    assert reaching("losses._no_such_function", callers) == ()
