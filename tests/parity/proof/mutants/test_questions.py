import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import ROOT
from parity.proof.mutants.mutate import mutants_of
from parity.proof.mutants.questions import MANY, Checkout


@pytest.mark.parametrize("package", ["ptycho", "ptycho_torch"])
@pytest.mark.parametrize("module", ["losses", "optics", "scaling", "patches", "forward"])
def test_every_mutant_of_the_physics_is_asked_about(package, module):
    text = (ROOT / package / f"{module}.py").read_text(encoding="utf-8")
    checkout = Checkout(ROOT)
    for mutant in {m.definition: m for m in mutants_of(package, module, text)}.values():
        assert checkout.sessions(mutant)


def test_the_last_question_asks_every_contract_that_leads_there_and_draws_as_many_cases_as_ci():
    text = (ROOT / "ptycho_torch" / "losses.py").read_text(encoding="utf-8")
    mutant = next(m for m in mutants_of("ptycho_torch", "losses", text) if m.function == "mae")
    first, last = Checkout(ROOT).sessions(mutant)
    assert {name for name in REGISTRY if any(f"[{name}]" in argument for argument in first.arguments)} == {"losses.mae"}
    assert sum("[" in argument for argument in last.arguments) > 2
    assert last.arguments[last.arguments.index("--parity-examples") + 1] == str(MANY)


@pytest.mark.parametrize(
    ("package", "other", "files"),
    [
        ("ptycho", "torch", ["stacks/test_checks", "ptycho/test_checks", "stacks/test_losses", "ptycho/test_losses"]),
        ("ptycho_torch", "tensorflow", ["stacks/test_checks", "stacks/test_losses", "torch/test_losses"]),
    ],
)
def test_a_border_is_asked_of_the_unit_tests_of_its_own_stack(package, other, files):
    session = Checkout(ROOT).units(package, "losses")
    assert list(session.files) == [ROOT / "tests" / f"{file}.py" for file in files]
    assert session.arguments[session.arguments.index("-k") + 1] == f"not ({other})"
