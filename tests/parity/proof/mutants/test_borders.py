import ast
import textwrap

import pytest

from parity.proof.mutants.validation import border_statements

REFUSES = {
    "a call into the checks refuses, and one whose result is used computes": (
        """
        def f(x, scale):
            checks.require_real("x", x)
            _require_placed(x)
            (scale,) = checks.as_scalars({"scale": scale}, like=x)
            return x * scale
        """,
        {"checks.require_real('x', x)", "_require_placed(x)"},
    ),
    "a condition with nothing but a refusal refuses": (
        """
        def f(x):
            if x < 0:
                raise ValueError
            if x > 1:
                x = 1
            return x
        """,
        {"if x < 0:", "raise ValueError"},
    ),
    "an assignment that only a refusal reads refuses": (
        """
        def f(x):
            size, half = len(x), len(x) // 2
            wanted = 2 * len(x)
            checks.require_that(wanted > size, "x", "more", size)
            return half + size
        """,
        {"wanted = 2 * len(x)", "checks.require_that(wanted > size, 'x', 'more', size)"},
    ),
    "a private function refuses if its name says so or only refusals call it": (
        """
        def _require_even(x): return _half(x)
        def _half(x): return x // 2
        def _double(x): return 2 * x
        def f(x):
            checks.require_that(_known(x), "x", "known", _double(x))
            return _double(x)
        def _known(x): return x is not None
        """,
        {
            *("def _require_even(x):", "def _half(x):", "def _known(x):"),
            "checks.require_that(_known(x), 'x', 'known', _double(x))",
        },
    ),
}


@pytest.mark.parametrize(("text", "expected"), REFUSES.values(), ids=list(REFUSES))
def test_what_refuses_is_told_from_what_computes(text, expected):
    found = border_statements(ast.parse(textwrap.dedent(text)))
    assert {ast.unparse(node).splitlines()[0] for node in found} == expected
