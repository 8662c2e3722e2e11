import ast
import textwrap

import pytest

from parity.proof.mutants.mutate import mutants_of

CHANGED = [
    ("arithmetic", "return x + y", {"return x - y"}),
    ("arithmetic", "x *= y", {"x /= y"}),
    ("arithmetic", "return x ** y", {"return x * y"}),
    ("operand alone", "return x * y", {"return x", "return y"}),
    ("comparison", "return x < y", {"return x <= y", "return x >= y"}),
    ("comparison", "return x == y", {"return x != y"}),
    ("boolean", "return x and y", {"return x or y"}),
    ("boolean", "return not x", {"return x"}),
    ("sign", "return x", {"return -x"}),
    ("sign", "return -x", {"return --x", "return x"}),
    ("sign", "y = tf.cos(x)", {"y = tf.cos(-x)"}),
    ("number", "x = 3", {"x = 4", "x = 2"}),
    ("number", "x = 2.0", {"x = 2.002"}),
    ("number", "x = True", {"x = False"}),
    ("word", "x = tf.fft2(y, norm='backward')", {"x = tf.fft2(y, norm='ortho')", "x = tf.fft2(y, norm='forward')"}),
    ("name", "x = tf.reduce_sum(y)", {"x = tf.reduce_mean(y)"}),
    ("name", "x = tf.floor(y)", {"x = tf.round(y)", "x = tf.math.ceil(y)"}),
    ("name", "x = y.real", {"x = y.imag"}),
    ("exchange", "x = tf.xlogy(x, y)", {"x = tf.xlogy(y, x)"}),
    ("exchange", "x = tf.where(x > 0, x, y)", {"x = tf.where(x > 0, y, x)"}),
    (
        "exchange",
        "x = tf.transpose(x, (0, 2, 1))",
        {"x = tf.transpose(x, (2, 0, 1))", "x = tf.transpose(x, (0, 1, 2))"},
    ),
    ("branch alone", "x = tf.where(x > 0, x, y)", {"x = x", "x = y"}),
    ("call dropped", "x = tf.floor(x)", {"x = x"}),
    ("call dropped", "x = x.abs()", {"x = x"}),
    ("keyword dropped", "x = tf.reduce_sum(x, axis=1)", {"x = tf.reduce_sum(x)"}),
    ("slice bound", "x = x[y:]", {"x = x[y + 1:]", "x = x[y - 1:]", "x = x[y:-1]"}),
    ("condition", "if x:\n    y = x", {"if True:\n    y = x", "if False:\n    y = x"}),
    ("condition", "x = x if y else 2", {"x = x", "x = 2"}),
    ("statement deleted", "x = y\nreturn x", {"pass\nreturn x"}),
    ("statement deleted", "tf.f(x)", {"pass"}),
]

UNCHANGED = [
    ("exchange", "x = tf.reduce_sum(x, axis=(1, 2))"),
    ("exchange", "x = tf.cast(x, tf.float32)"),
    ("sign", "x = tf.zeros_like(x)"),
    ("statement deleted", "z = y\nreturn z"),
    ("number", '"""1 of 2"""'),
    ("operand alone", "x = f'{x + y}'"),
]


@pytest.mark.parametrize(("operator", "body", "expected"), [*CHANGED, *((*one, set()) for one in UNCHANGED)])
def test_an_operator_changes_what_it_says_and_leaves_alone_what_cannot_be_wrong(operator, body, expected):
    text = f"import tf\n\ndef f(x, y):\n{textwrap.indent(body, '    ')}"
    mutants = [mutant for mutant in mutants_of("p", "m", text) if mutant.operator == operator]
    found = [ast.unparse(ast.parse(mutant.source).body[0].body).strip() for mutant in mutants]
    assert set(found) == expected
