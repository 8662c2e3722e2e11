import pytest

from parity.gate.impact.definitions import EVERYTHING, changed_definitions, runs_when_called

SOURCE = '''"""A file."""

import math
from ptycho import checks

LIMIT = 0.1


def mae(x):
    """Mean."""
    return checks.positive(abs(x)) + LIMIT


def other(x):
    return math.sqrt(x)
'''


def changed(old, new):
    return changed_definitions(SOURCE, SOURCE.replace(old, new))


def test_nothing_differs_where_nothing_does():
    assert changed_definitions(SOURCE, SOURCE) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [("LIMIT = 0.1", "LIMIT = 0.1  # as it was"), ('"""Mean."""', '"""The mean."""'), ("\n\n\n", "\n\n")],
)
def test_comments_docstrings_and_layout_say_nothing(old, new):
    assert changed(old, new) == {}


def test_a_function_differs_at_the_line_that_does():
    assert changed("abs(x)", "abs(x + 1)") == {"mae": 11}


def test_a_constant_differs():
    assert changed("LIMIT = 0.1", "LIMIT = 0.2") == {"LIMIT": 6}


def test_what_is_new_and_what_is_gone_differ():
    assert changed("def other", "def another") == {"another": 14, "other": 1}


def test_whatever_names_what_is_imported_otherwise_differs():
    assert changed("import math", "import cmath as math") == {"other": 14}


def test_a_definition_that_is_imported_instead_asks_for_those_that_name_it():
    moved = SOURCE.replace("import math\n", "import math\nfrom ptycho.elsewhere import mae\n")
    start, end = moved.index("def mae"), moved.index("def other")
    using = "\n\ndef twice(x):\n    return 2 * mae(x)\n"
    assert changed_definitions(SOURCE + using, moved[:start] + moved[end:] + using) == {"twice": 14}


def test_an_import_that_nobody_names_asks_for_all():
    assert EVERYTHING in changed("import math\n", "import math\nimport no_such_module\n")


def test_a_statement_that_defines_nothing_asks_for_all():
    assert EVERYTHING in changed("LIMIT = 0.1", "LIMIT = 0.1\nassert LIMIT")


def test_another_order_asks_for_all():
    first, second = SOURCE[SOURCE.index("def mae") : SOURCE.index("def other")], SOURCE[SOURCE.index("def other") :]
    assert EVERYTHING in changed_definitions(SOURCE, SOURCE.replace(first, "").replace(second, f"{second}\n\n{first}"))


def test_what_is_no_python_is_refused():
    with pytest.raises(SyntaxError):
        changed_definitions(SOURCE, "def")


CLASS = """
@frozen
class Loss(Base):
    scale = 1.0

    @property
    def gain(self):
        return 2 * self.scale

    class Inner:
        flag = True
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("2 * self", "3 * self", True),
        ("    @property\n", "", True),
        ("scale = 1.0", "scale = 2.0", False),
        ("flag = True", "flag = False", False),
        ("(Base)", "(Other)", False),
        ("@frozen\n", "", False),
        ("scale", "'How large.'\n\n    scale", True),
    ],
)
def test_of_a_class_methods_alone_run_when_they_are_called(old, new, expected):
    assert runs_when_called("Loss", CLASS, CLASS.replace(old, new, 1)) is expected


def test_what_is_new_or_gone_runs_when_it_is_called_unless_it_holds_more_than_methods():
    assert runs_when_called("mae", SOURCE, "")
    assert runs_when_called("Loss", "", "class Loss(Base):\n    def gain(self): ...\n")
    assert not runs_when_called("Loss", "", CLASS)
    assert not runs_when_called("LIMIT", SOURCE, "")


@pytest.mark.parametrize(("value", "expected"), [("LIMIT = 0.1", True), ("LIMIT = limit()", False), ("abs = 1", False)])
def test_a_new_value_matters_to_those_that_name_it(value, expected):
    assert runs_when_called(value.split()[0], "", value) is expected
    assert not runs_when_called("LIMIT", "LIMIT = 0", value)
