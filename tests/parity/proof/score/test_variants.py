"""Other executions of the same code: each in a process of its own, as its name says, and silent."""

import pytest

from parity.proof.score.variants import USUAL, VARIANTS, Variant, VariantError, run_variant
from parity.stacks import ADAPTERS

CONTRACT = "probe.gaussian"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_variant_is_of_a_stack_and_a_mode_that_it_has(variant: Variant) -> None:
    assert variant.mode in ADAPTERS[variant.stack].modes
    assert set(variant.environment) <= set(USUAL)


def test_no_variant_is_listed_twice() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    assert len({(v.stack, v.mode, *v.environment.items()) for v in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize("name", ["tensorflow xla", "torch without oneDNN"])
def test_a_variant_of_correct_code_is_silent(name: str) -> None:
    (variant,) = (variant for variant in VARIANTS if variant.name == name)
    found = run_variant(variant, [CONTRACT])
    assert found.examples == 3
    assert found.failures == ()
    assert 0 < found.worst <= 1
    assert found.where.startswith(f"{CONTRACT}, probe in f")


def test_a_variant_that_cannot_be_run_says_why() -> None:
    with pytest.raises(VariantError, match=r"^torch eager could not be run, exit code 2: .*unknown contract 'probe.x'"):
        run_variant(Variant("torch eager", "torch", "eager"), ["probe.x"])
