import pytest

from parity.contracts import REGISTRY
from parity.mirror import ROOT
from parity.mutants.mutate import mutants_of
from parity.mutants.questions import MANY, Checkout
from parity.mutants.reach import callers_in, nearest_first


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


@pytest.mark.parametrize("package", ["ptycho", "ptycho_torch"])
@pytest.mark.parametrize("module", ["losses", "optics", "scaling", "patches", "forward"])
def test_every_mutant_of_the_physics_is_asked_about(package, module):
    text = (ROOT / package / f"{module}.py").read_text(encoding="utf-8")
    checkout = Checkout(ROOT)
    for mutant in {m.definition: m for m in mutants_of(package, module, text)}.values():
        assert checkout.questions(mutant)


def test_the_last_question_asks_every_contract_that_leads_there_and_draws_as_many_cases_as_ci():
    text = (ROOT / "ptycho_torch" / "losses.py").read_text(encoding="utf-8")
    mutant = next(m for m in mutants_of("ptycho_torch", "losses", text) if m.function == "mae")
    first, last = Checkout(ROOT).questions(mutant)
    assert {name for name in REGISTRY if any(f"[{name}]" in argument for argument in first.arguments)} == {"losses.mae"}
    assert sum("[" in argument for argument in last.arguments) > 2
    assert last.arguments[last.arguments.index("--parity-examples") + 1] == str(MANY)
