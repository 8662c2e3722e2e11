import ast
from pathlib import Path

import pytest

from parity.contracts.mirror import ROOT
from parity.proof.mutants.mutate import MutantKind, mutants_of, thinned

TEXT = '''
import torch

LIMIT = 0.5


def scaled(x: int = 1) -> int:
    """Twice x."""
    return 2 * x


def shifted(x):
    return x + LIMIT
'''


@pytest.mark.parametrize("package", ["ptycho", "ptycho_torch"])
def test_no_two_mutants_of_a_stack_are_the_same(package):
    text = Path(ROOT, package, "losses.py").read_text(encoding="utf-8")
    mutants = mutants_of(package, "losses", text)
    assert len({mutant.id for mutant in mutants}) == len(mutants) == len({(m.definition, m.source) for m in mutants})


def test_every_mutant_is_a_program_other_than_the_right_one_and_the_order_is_the_same_every_time():
    right = {ast.unparse(node) for node in ast.parse(TEXT).body}
    for mutant in mutants_of("p", "m", TEXT):
        assert ast.unparse(ast.parse(mutant.source)) not in right
    assert mutants_of("p", "m", TEXT) == mutants_of("p", "m", TEXT)


def test_an_id_outlasts_what_is_written_above_its_definition():
    moved = TEXT.replace("LIMIT = 0.5", "LIMIT = 0.5\nOTHER = LIMIT\n")
    before, after = ({m.id for m in mutants_of("p", "m", text) if m.definition == "scaled"} for text in (TEXT, moved))
    assert before == after


def test_a_mutant_says_where_it_is_and_what_it_changes():
    (found,) = (m for m in mutants_of("p", "m", TEXT) if m.operator == "arithmetic" and m.definition == "scaled")
    assert (found.place, found.before, found.after) == ("p/m.py:9:11", "2 * x", "2 / x")


def test_a_default_and_a_constant_of_a_file_are_changed_and_an_annotation_is_not():
    changed = [(m.line, m.before, m.after) for m in mutants_of("p", "m", TEXT) if m.line <= 7]
    assert changed == [(4, "0.5", "0.5005"), (7, "1", "0"), (7, "1", "2")]


def test_a_function_within_a_function_is_named_after_both():
    text = "def outer(x):\n    def inner(y):\n        return y + 1\n    return inner(x)\n"
    assert "outer.inner" in {mutant.function for mutant in mutants_of("p", "m", text)}


def test_thinning_keeps_as_many_of_each_operator_in_each_function_and_more_of_them_where_more_may_stay():
    mutants = mutants_of("p", "m", TEXT)
    one, two = thinned(mutants, 1), thinned(mutants, 2)
    assert len({(m.function, m.operator) for m in one}) == len(one) == len({(m.function, m.operator) for m in mutants})
    assert set(one) < set(two) <= set(mutants)


def test_what_is_computed_and_what_is_refused_are_told_apart():
    text = "def f(x):\n    checks.require_real('x', x)\n    return x + 1\n"
    assert {m.line: m.kind for m in mutants_of("p", "m", text)} == {2: MutantKind.BORDER, 3: MutantKind.MATHEMATICS}
