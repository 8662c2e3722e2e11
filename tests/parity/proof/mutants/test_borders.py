import ast
import textwrap

from parity.proof.mutants.validation import border_statements


def refused(text: str) -> set[str]:
    """The first lines of what is found to refuse arguments, messages shortened."""
    return {ast.unparse(node).splitlines()[0] for node in border_statements(ast.parse(textwrap.dedent(text)))}


def test_a_call_into_the_checks_refuses_and_one_whose_result_is_used_computes():
    text = """
        def f(x, scale):
            checks.require_real("x", x)
            _require_placed(x)
            (scale,) = checks.as_scalars({"scale": scale}, like=x)
            return x * scale
    """
    assert refused(text) == {"checks.require_real('x', x)", "_require_placed(x)"}


def test_a_condition_with_nothing_but_a_refusal_refuses():
    text = """
        def f(x):
            if x < 0:
                raise ValueError
            if x > 1:
                x = 1
            return x
    """
    assert refused(text) == {"if x < 0:", "raise ValueError"}


def test_an_assignment_that_only_a_refusal_reads_refuses():
    text = """
        def f(x):
            size, half = len(x), len(x) // 2
            wanted = 2 * len(x)
            checks.require_that(wanted > size, "x", "more", size)
            return half + size
    """
    assert refused(text) == {"wanted = 2 * len(x)", "checks.require_that(wanted > size, 'x', 'more', size)"}


def test_a_private_function_refuses_if_its_name_says_so_or_only_refusals_call_it():
    text = """
        def _require_even(x):
            return _half(x)

        def _half(x):
            return x // 2

        def _double(x):
            return 2 * x

        def f(x):
            checks.require_that(_known(x), "x", "known", _double(x))
            return _double(x)

        def _known(x):
            return x is not None
    """
    functions = {line for line in refused(text) if line.startswith("def")}
    assert functions == {"def _require_even(x):", "def _half(x):", "def _known(x):"}
