import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import ROOT
from parity.gate.impact.changes import Change, Changes
from parity.gate.impact.mapping import impact_of


def impact(path, old="", new=""):
    """Of one change in a file as it is; of another text where nothing is to be exchanged."""
    was = (ROOT / path).read_bytes() if (ROOT / path).is_file() else None
    if not old:
        return impact_of(Changes(ROOT, "base", (Change(path, was, b"x"),)), REGISTRY)
    assert old.encode() in (was or b"")
    return impact_of(
        Changes(ROOT, "base", (Change(path, (was or b"").replace(old.encode(), new.encode(), 1), was),)), REGISTRY
    )


@pytest.mark.parametrize("path", ["ptycho/losses.py", "ptycho_torch/losses.py", "parity/physics/oracle/losses.py"])
def test_a_function_touches_its_contract_and_what_uses_it(path):
    found = impact(path, "def mae(", "def mae(x, ")
    assert list(found.touched) == ["losses.mae"]
    assert list(found.using) == ["losses.training_loss", "forward.training_objective", "forward.reconstruction_loss@32"]
    assert found.using["losses.training_loss"][0].words == "uses losses.mae"
    assert found.everything == ()


def test_the_reason_names_the_line():
    (reason,) = impact("ptycho_torch/losses.py", "def mae(", "def mae(x, ").touched["losses.mae"]
    text = (ROOT / "ptycho_torch/losses.py").read_text().splitlines()
    assert reason.file == "ptycho_torch/losses.py"
    assert text[reason.line - 1].startswith("def mae(")


def test_a_private_constant_touches_what_reads_it():
    assert list(impact("ptycho/losses.py", "_SERIES_LIMIT = 0.1", "_SERIES_LIMIT = 0.2").touched) == [
        "losses.poisson_nll"
    ]


def test_a_helper_that_is_gone_touches_those_that_still_name_it():
    assert "losses.mae" in impact("ptycho/losses.py", "def mae(", "def no_mae(").touched


def test_a_class_touches_the_contract_that_it_is_an_entry_of():
    assert list(impact("ptycho_torch/model.py", "class PoissonLoss", "class PoissonLosses").touched) == [
        "losses.poisson_nll"
    ]


def test_a_package_within_a_stack_touches_the_contracts_with_an_entry_in_it():
    found = impact("ptycho_torch/generators/fno.py", "in_channels**-0.5", "in_channels**-1.0")
    assert list(found.touched) == ["networks.spectral_convolve"]
    assert found.touched["networks.spectral_convolve"][0].what == "_FallbackSpectralConv2d"
    assert impact("ptycho_torch/generators/hybrid.py", "functional.gelu(", "functional.relu(").aside == {
        "ptycho_torch/generators/hybrid.py": "no contract leads here: nothing that one runs names what differs"
    }


def test_what_no_contract_imports_is_put_aside():
    found = impact("ptycho_torch/metrics.py", "def ", "def other_")
    assert found.aside == {"ptycho_torch/metrics.py": "no contract leads here: nothing that one imports imports it"}


def test_comments_touch_nothing_and_are_said_to():
    found = impact("ptycho/optics.py", "import tensorflow as tf", "import tensorflow as tf  # the framework")
    assert (found.touched, found.everything) == ({}, ())
    assert found.aside == {"ptycho/optics.py": "comments and docstrings alone"}


@pytest.mark.parametrize(
    "path",
    [
        "parity/judging/verdict.py",
        "parity/physics/oracle/bounded.py",
        "parity/physics/oracle/operations/kinks.py",
        "pyproject.toml",
        "constraints/cpu.txt",
        "Makefile",
        "ptycho_exposures/diffsim.py",
        "ptycho_exposures/grouping.py",
        "ptycho_exposures/a/file/that/is/new.py",
        "ptycho/__init__.py",
        "a/file/that/nobody/knows",
    ],
)
def test_what_may_matter_to_anything_asks_for_all(path):
    assert impact(path).everything


def test_comments_in_the_exposures_touch_nothing():
    found = impact("ptycho_exposures/diffsim.py", "import math", "import math  # the standard library's")
    assert found.aside == {"ptycho_exposures/diffsim.py": "comments and docstrings alone"}


def test_what_is_no_python_is_said_with_its_line():
    (reason,) = impact_of(
        Changes(ROOT, "base", (Change("ptycho/losses.py", b"x = 1", b"x = 1\ndef"),)), REGISTRY
    ).unreadable
    assert (reason.file, reason.line) == ("ptycho/losses.py", 2)


@pytest.mark.parametrize(
    "path", ["README.md", "docs/physics.md", "docs/pictures/one.svg", "tests/parity/judging/test_run.py"]
)
def test_what_nothing_depends_on_is_put_aside(path):
    found = impact(path)
    assert (found.touched, found.using, found.everything) == ({}, {}, ())
    assert path in found.aside


def test_a_declaration_touches_the_contracts_of_its_file():
    touched = impact("parity/contracts/declared/scaling.py", "from", "# from").touched
    assert list(touched) == [name for name in REGISTRY if name.startswith("scaling.")]


def test_defects_touch_the_contracts_that_they_are_aimed_at():
    touched = impact("parity/faults/catalogue/optics_far_field.py", "from", "# from").touched
    assert list(touched) == [name for name in REGISTRY if name.startswith("optics.")]


def test_a_golden_touches_its_contract():
    assert list(impact("fixtures/golden/losses.mae/even-0.npz").touched) == ["losses.mae"]


def test_a_sampler_asks_for_the_samplers():
    assert impact("ptycho/sampling.py", "def ", "def x").samplers
