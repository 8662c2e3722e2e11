"""What a change of a stranger's repository touches: that of `tests/stand_in`, with a few definitions more."""

import pytest

from parity.contracts.declared import REGISTRY
from parity.gate.impact import changes_since, impact_abroad
from parity.stacks.subjects import subjects_in

LOSSES, SCANNING, DETECTOR = (f"ptycho_torch/{name}.py" for name in ("nn/losses", "scanning", "detector"))
BINDINGS = "parity_torch.py"
CONTRACTS = {
    name: REGISTRY[name]
    for name in (
        "patches.central_weight",
        "patches.relative_positions",
        "scaling.count_photons",
        "losses.absolute_error",
        "losses.mae",
        "losses.poisson_nll",
        "forward.predict_amplitude",
    )
}

MORE = '''

class Floored(AmplitudeL1):
    """One that a subclass changes, and only by its method."""

    def forward(self, measured, expected):
        return super().forward(measured, expected)


def _slope(gap):
    return 2 * gap


def picture(losses):
    raise NotImplementedError("no binding draws")


def _table(step):
    return [step, 2 * step]


_TABLE = _table(1)


class Settings:
    floor = 0.0
'''


@pytest.fixture
def base(stranger):
    """The stranger's repository with more of what changes are made of, committed."""
    (stranger.root / LOSSES).write_text((stranger.root / LOSSES).read_text() + MORE)
    stranger.edit(LOSSES, "gap = 2 * (expected - measured)", "gap = _slope(expected - measured)")
    stranger.edit(
        BINDINGS, 'losses.AmplitudeL1("none")(observed, predicted)\n', 'losses.Floored("none")(observed, predicted)\n'
    )
    stranger.commit()
    return stranger


def impact(clone, contracts=CONTRACTS):
    subjects = tuple(subjects_in(clone.root).values())
    return impact_abroad(changes_since(clone.root, "HEAD"), subjects, contracts)


def test_a_contract_is_asked_if_what_changed_runs_for_it_or_did(base):
    helper = base.root / SCANNING
    whole, _, rest = helper.read_text().partition("def _middle_half")
    moved, _, rest = rest.partition("\n\n\n")
    helper.write_text(
        f"{whole}{rest}".replace("import torch\n", "import torch\nfrom ptycho_torch.detector import _middle_half\n", 1)
    )
    with (base.root / DETECTOR).open("a") as file:
        file.write(f"\n\ndef _middle_half{moved}\n")
    base.edit(LOSSES, "        return super().forward(measured, expected)\n", "")
    base.edit(LOSSES, "    def forward(self, measured, expected):\n\n", "")
    base.edit(LOSSES, "2 * gap", "gap + gap")
    base.edit(LOSSES, '"no binding draws"', '"no binding ever draws"')
    base.edit(
        BINDINGS,
        "-scanning.relative(positions.flip(-1)).flip(-1)",
        "0 - scanning.relative(positions.flip(-1)).flip(-1)",
    )
    base.edit("ptycho_torch/__init__.py", "Model-based", "Models in")
    (base.root / "train.py").write_text("raise SystemExit\n")
    found = impact(base)
    because = {name: {reason.what for reason in reasons} for name, reasons in found.touched.items()}
    assert found.everything == ()
    assert because == {
        "patches.central_weight": {"_middle_half", "central"},
        "patches.relative_positions": {"relative_positions"},
        "losses.absolute_error": {"Floored"},
        "losses.poisson_nll": {"_slope"},
        "forward.predict_amplitude": {"_middle_half", "central"},
    }
    assert found.aside == {
        "ptycho_torch/__init__.py": "comments and docstrings alone",
        "train.py": "no binding imports it",
    }


ENTRY = """
[[divergences]]
contract = "losses.mae"
stack = "foreign-torch"
kind = "sub-domain"
where = "expected.py:lit"
low = 1
high = 2
reason = "it is meant"
expires = 2999-12-31
"""


def test_what_is_accepted_of_a_contract_matters_to_it_alone(stranger):
    with (stranger.root / "parity.toml").open("a") as file:
        file.write(ENTRY)
    expected = stranger.root / "expected.py"
    expected.write_text('def lit(inputs):\n    return inputs["observed"] > 0\n')
    stranger.commit()
    expected.write_text('def lit(inputs):\n    return inputs["observed"] > 1\n')
    (stranger.root / "parity-baseline.toml").write_text("examples = 0\n")
    found = impact(stranger)
    assert list(found.touched) == ["losses.mae"]
    assert (found.everything, list(found.aside)) == ((), ["parity-baseline.toml"])


def test_what_runs_when_it_is_imported_may_matter_to_all(base):
    base.edit(LOSSES, "[step, 2 * step]", "[step, 3 * step]")
    base.edit(LOSSES, "floor = 0.0", "floor = 1e-3")
    base.edit(SCANNING, "import torch\n", "import torch\n\nassert torch\n")
    found = impact(base)
    assert {(reason.what, reason.file) for reason in found.everything} == {
        ("_table, which an import needs,", LOSSES),
        ("Settings, which an import needs,", LOSSES),
        ("code that runs when it is imported", SCANNING),
    }


def test_all_are_asked_where_the_base_cannot_be_run(base):
    base.edit("ptycho_torch/optics.py", "import torch\n", "import tor\n")
    base.commit()
    base.edit("ptycho_torch/optics.py", "import tor\n", "import torch\n")
    (reason,) = impact(base).everything
    assert reason.words == (
        "the base cannot be traced (parity_torch.py, line 6: raised ModuleNotFoundError: No module named 'tor'), "
        "and code changed in ptycho_torch/optics.py, line 1"
    )


@pytest.mark.parametrize(
    ("path", "everything", "touched", "aside"),
    [
        ("README.md", (), (), "documentation"),
        ("docs/figure.svg", (), (), "documentation"),
        ("tests/data.npz", (), (), "tests"),
        ("ptycho_torch/table.csv", ("what may matter to all",), (), None),
        ("environment.yml", ("what may matter to all",), (), None),
        ("parity.toml", ("what is declared",), (), None),
        ("fixtures/golden/losses.mae/even-0.npz", (), ("losses.mae",), None),
        ("fixtures/golden/manifest.json", (), (), "a list of the goldens"),
    ],
)
def test_of_other_files_the_name_decides(stranger, path, everything, touched, aside):
    (stranger.root / path).parent.mkdir(parents=True, exist_ok=True)
    with (stranger.root / path).open("a") as file:
        file.write("\n")
    found = impact(stranger)
    assert tuple(reason.what for reason in found.everything) == everything
    assert (tuple(found.touched), found.aside) == (touched, {path: aside} if aside else {})
