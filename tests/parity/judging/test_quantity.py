import pytest

from parity.contracts.declared import REGISTRY
from parity.judging.quantity import Quantity, QuantityKind, gradient_of, gradients_of, law_of, result_of, results_of

RESULT, GRADIENT, LAW = QuantityKind.RESULT, QuantityKind.GRADIENT, QuantityKind.LAW


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (result_of("nll"), "nll"),
        (gradient_of("observed"), "∂/∂observed"),
        (result_of("nll").through("model.PoissonLoss"), "nll of model.PoissonLoss"),
        (gradient_of("weights").through("generators.fno._Conv2d"), "∂/∂weights of generators.fno._Conv2d"),
        (law_of("the scale of X is forgotten"), "the scale of X is forgotten"),
        (law_of("∂NLL/∂Â = 0 at Â = A"), "∂NLL/∂Â = 0 at Â = A"),
        (law_of("no part of a.b"), "no part of a.b"),
    ],
)
def test_a_quantity_is_written_and_read(quantity, text):
    assert (str(quantity), Quantity.parse(text)) == (text, quantity)


def test_every_quantity_of_every_contract_is_read_as_what_it_is():
    laws_with_of = set()
    for contract in REGISTRY.values():
        own = (*results_of(contract), *gradients_of(contract))
        laws = tuple(law_of(fact.statement) for fact in contract.facts)
        through = [quantity.through(entry.path) for entry in contract.entries for quantity in own]
        for quantity in (*own, *laws, *through):
            assert Quantity.parse(str(quantity)) == quantity
        laws_with_of |= {law for law in laws if " of " in law.text}
    assert len(laws_with_of) == 8


@pytest.mark.parametrize(
    ("kind", "name", "entry"),
    [
        (LAW, "stationarity", ""),  # reads as a result
        (LAW, "scale of model.Layer", ""),  # as a result of an entry
        (LAW, "the scale is forgotten", "model.Layer"),
        (LAW, "", ""),
        (RESULT, "two words", ""),
        (RESULT, "", ""),
        (RESULT, "nll", "Layer"),  # no module
        (GRADIENT, "∂/∂x", ""),
    ],
)
def test_what_would_be_read_as_another_quantity_is_refused(kind, name, entry):
    with pytest.raises(ValueError, match=r"^quantity: expected a "):
        Quantity(kind, name, entry)


def test_an_entry_is_another_name_of_the_same_quantity():
    through = gradient_of("observed").through("model.PoissonLoss")
    assert (through.own, through.is_gradient, through.entry) == (gradient_of("observed"), True, "model.PoissonLoss")
    assert not result_of("nll").is_gradient
    assert law_of("the scale of X is forgotten").is_law
