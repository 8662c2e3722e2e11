import importlib
import inspect

import pytest

from parity.proof.mutants.making import InvalidMutant, made

CODE = """
    LIMIT = 2

    def doubled(x):
        return LIMIT * x

    def quadrupled(x):
        return doubled(doubled(x))
"""


@pytest.fixture
def code(tiny):
    tiny.code(CODE)
    return importlib.import_module(f"{tiny.name}.code")


def test_a_mutant_takes_effect_wherever_the_package_calls_it(tiny, code):
    with made(tiny.mutant("doubled", "def doubled(x):\n    return LIMIT + x")):
        assert code.quadrupled(5) == 9
    assert code.quadrupled(5) == 20


def test_a_constant_can_be_changed(tiny, code):
    with made(tiny.mutant("LIMIT", "LIMIT = 3")):
        assert code.doubled(5) == 15
    assert code.LIMIT == 2


def test_a_mutant_is_undone_whatever_happens_in_the_block(tiny, code):
    right = code.doubled
    with pytest.raises(KeyboardInterrupt), made(tiny.mutant("doubled", "def doubled(x):\n    return x")):
        raise KeyboardInterrupt
    assert code.doubled is right


@pytest.mark.parametrize(
    "source", ["def doubled(x: no_such_name):\n    return x", "def doubled(x):\n    return return"]
)
def test_what_is_no_program_is_not_made(tiny, code, source):
    right = code.doubled
    with pytest.raises(InvalidMutant), made(tiny.mutant("doubled", source)):
        pass
    assert code.doubled is right


def test_the_source_of_a_mutant_can_be_read(tiny, code):
    source = "def doubled(x):\n    return LIMIT + x"
    with made(tiny.mutant("doubled", source)):
        assert inspect.getsource(code.doubled) == source
