import ast

from parity.proof.mutants.validation import border_statements

TEXT = """
def a_call_into_the_checks_refuses_and_one_whose_result_is_used_computes(x, scale):
    checks.require_real("x", x)  # refuses
    _require_placed(x)  # refuses
    (scale,) = checks.as_scalars({"scale": scale}, like=x)
    return x * scale

def a_condition_with_nothing_but_a_refusal_refuses(x):
    if x < 0:  # refuses
        raise ValueError  # refuses
    if x > 1:
        x = 1
    return x

def an_assignment_that_only_a_refusal_reads_refuses(x):
    size, half = len(x), len(x) // 2
    wanted = 2 * len(x)  # refuses
    checks.require_that(wanted > size, "x", "more", size)  # refuses
    return half + size

def a_private_function_refuses_if_its_name_says_so_or_only_refusals_call_it(x):
    checks.require_that(_known(x), "x", "known", _double(x))  # refuses
    return _double(x)

def _require_even(x): return _half(x)  # refuses
def _half(x): return x // 2  # refuses
def _double(x): return 2 * x
def _known(x): return x is not None  # refuses
"""


def test_what_refuses_is_told_from_what_computes():
    found = {node.lineno for node in border_statements(ast.parse(TEXT))}
    assert found == {number for number, line in enumerate(TEXT.splitlines(), 1) if line.endswith("# refuses")}
