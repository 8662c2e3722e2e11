"""What a change of a definition may reach by ways that are no call, and what stops at nothing."""

import pytest

from parity.contracts.reachability import IMPORT, graph_of, led_to

USER = "def used(x):\n    return f(x)\n"


def graph(tmp_path, sources):
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "__init__.py").touch()
    for name, text in sources.items():
        (tmp_path / "stack" / f"{name}.py").write_text(text)
    return graph_of(tmp_path, ["stack.user"])


@pytest.mark.parametrize(
    "head",
    [
        "from .means import f",
        "from stack import means\nf = means.f",
        "import stack.means as m\nf = m.f",
        "if 1 < 2:\n    from stack.means import f\nelse:\n    f = None",
        "from typing import TYPE_CHECKING\nTYPE_CHECKING = True\nif TYPE_CHECKING:\n    from stack.means import f",
        "from stack.between import f",
    ],
)
def test_a_name_leads_to_its_definition(tmp_path, head):
    between = "from .means import f\n"
    found = graph(tmp_path, {"user": f"{head}\n\n{USER}", "means": "def f(x):\n    return x\n", "between": between})
    assert "stack.user.used" in led_to("stack.means.f", found.callers, frozenset())
    assert "stack.user.used" not in found.dark


@pytest.mark.parametrize(
    "text",
    [
        "def used(x):\n    return getattr(x.parts, x.name)(x)",
        "import stack.means\n\ndef used(x):\n    return getattr(stack.means, 'f')(x)",
        "import operator\n\ndef used(x):\n    return operator.attrgetter('f')(x)",
        "import numpy as np\n\ndef used(x):\n    return x * np.load('gain.npy')",
        "import lzma\n\ndef used(x):\n    return lzma.LZMAFile('gain')",
        "import torch\n\ndef used(x):\n    return getattr(torch, x)",
        "def used(x):\n    return x * float(used.__doc__)",
        "def used(x):\n    return f(x)",
        "import stack.means\n\ndef used(x):\n    return stack.means.no_such(x)",
        "from stack.absent import f\n\ndef used(x):\n    return f(x)",
        "def used(x):\n    import importlib\n\n    return importlib.import_module('stack.means').f(x)",
    ],
)
def test_what_looks_up_a_name_or_reads_is_dark(tmp_path, text):
    found = graph(tmp_path, {"user": f"{text}\n", "means": "def f(x):\n    return x\n"})
    assert found.dark["stack.user.used"]


@pytest.mark.parametrize(
    "text",
    [
        "TABLE = {}\nTABLE['f'] = f",
        "def install():\n    global GAIN\n    GAIN = f(1)",
        "from stack import means\n\ndef install():\n    means.TABLE.append(f)",
        "@keep\ndef g(x):\n    return f(x)",
        "X = f(1)",
        "class Own(metaclass=f):\n    pass",
        "def g(x=f(1)):\n    return x",
    ],
)
def test_what_outlives_a_call_or_runs_at_an_import_may_matter_to_all(tmp_path, text):
    found = graph(tmp_path, {"user": f"def f(x):\n    return x\n\n\n{text}\n", "means": "TABLE = []\n"})
    assert f"stack.user.{IMPORT}" in led_to("stack.user.f", found.callers, frozenset())


def test_what_is_for_a_type_checker_alone_is_not_imported(tmp_path):
    head = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from stack.means import f\n"
    found = graph(tmp_path, {"user": f"{head}\n\ndef used(x: 'f'):\n    return x\n", "means": "import no_such\n"})
    assert list(found.modules) == ["stack/user.py", "stack/__init__.py"]


def test_modules_that_import_each_other_end(tmp_path):
    found = graph(tmp_path, {"user": f"from stack.means import f\n\n{USER}", "means": "from stack.user import f\n"})
    assert "stack.user.used" in led_to("stack.means.f", found.callers, frozenset())
