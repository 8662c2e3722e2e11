"""A stranger's project, held as it is: two packages with the very names of this repository's, in other layouts.

`tests/stand_in/README.md` says what is planted in it, and what is not claimed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from parity import cli
from parity._ground.repository import ROOT
from parity.contracts.declared import REGISTRY
from parity.report.side_by_side import BEGIN, END

STAND_IN = ROOT / "tests" / "stand_in"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def parity(folder: Path, *arguments: str, module: str = "parity") -> Done:
    """The command, as a user calls it in a folder that is no checkout of this project."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PARITY_IN_PROCESS": ""}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stranger's project, outside this repository."""
    return Path(shutil.copytree(STAND_IN, tmp_path_factory.mktemp("stranger") / "project"))


@pytest.fixture(scope="session")
def held(project: Path) -> tuple[Done, dict, str]:
    """Everything that is bound in both subjects, held on the strata; with the results, and the report as text."""
    done = parity(project, "run", "--examples", "0", "--report", "report")
    results = json.loads((project / "report" / "results.json").read_text())
    forms = "".join((project / "report" / name).read_text() for name in ("report.md", "report.html", "junit.xml"))
    return done, results, forms


PLANTED = {
    ("optics.far_field_amplitude", "foreign-torch"): "the modes are summed coherently",
    ("optics.far_field_amplitude", "foreign-tf"): "single precision inside double: an intermediate is float32",
    ("losses.poisson_nll", "foreign-torch"): "ln Γ(k+1) is left out",
    ("forward.predict_amplitude", "foreign-torch"): "optics.far_field_amplitude: the modes are summed coherently",
}


@pytest.mark.parametrize(("contract", "subject"), PLANTED)
def test_what_is_planted_is_found_and_named(held: tuple[Done, dict, str], contract: str, subject: str) -> None:
    done, results, _ = held
    assert done.code == cli.DISAGREE
    assert results["contracts"][contract]["outcome"] == "disagree"
    (message,) = (part for part in done.out.split("\n\n") if part.startswith(f"{contract}: "))
    assert f"cause: {subject}: {PLANTED[contract, subject]}" in message


def test_what_is_not_planted_agrees(held: tuple[Done, dict, str]) -> None:
    _, results, _ = held
    off = {name for name, contract in results["contracts"].items() if contract["outcome"] != "agree"}
    assert off == {contract for contract, _ in PLANTED}
    assert len(results["contracts"]) == 25
    wrong = {(m["stack"], c) for c in off for m in results["contracts"][c]["measurements"] if m["fault"] is None}
    assert wrong <= {(s, c) for c in off for s in ("foreign-torch", "foreign-tf", "pair")}


@pytest.mark.parametrize(
    "sentence",
    [
        "losses.poisson_nll: not bound by foreign-tf",
        "losses.mae: 2,270 of 3,856 elements of ∂/∂observed of foreign-tf, in 7 examples",
        "optics.far_field_amplitude: laws in the terms of the contract, of foreign-tf: "
        "a phase on one mode changes nothing; Σ Â² = Σ_p Σ |ψ_p|²",
        "patches.reassemble_patches: no gradient is asked of foreign-torch: ∂/∂weight",
        "optics.far_field_amplitude: foreign-torch was asked 10 of 12 examples, and none in odd, prime: "
        "the sides of a frame are even",
    ],
)
def test_what_was_not_asked_is_said_in_every_form(held: tuple[Done, dict, str], sentence: str) -> None:
    done, results, forms = held
    assert f"not asked: {sentence}\n" in done.out
    assert forms.replace("\\", "").count(sentence) == 3
    contract = sentence.partition(":")[0]
    assert results["contracts"][contract]["omissions"]


@pytest.mark.parametrize(
    "sentence",
    [
        "losses.mae: foreign-tf: predicted and observed as intensity",
        "patches.translate: foreign-torch: positions as [row, column]; positions with the other sign",
    ],
)
def test_the_conventions_of_a_binding_are_said_in_every_form(held: tuple[Done, dict, str], sentence: str) -> None:
    done, results, forms = held
    assert f"held to: {sentence}\n" in done.out
    assert forms.replace("\\", "").count(sentence) == 3
    contract, stack, stated = sentence.split(": ")
    said = [(o["stack"], o["why"]) for o in results["contracts"][contract]["omissions"] if o["case"] == ""]
    assert said.count((stack, stated)) == 1


def test_what_no_stack_binds_is_listed_and_no_pass(held: tuple[Done, dict, str]) -> None:
    done, results, forms = held
    assert set(results["not_bound"]) == REGISTRY.keys() - results["contracts"].keys()
    assert "networks.convolve" in results["not_bound"]
    assert done.out.count("not bound: ") == 1
    assert "not bound by any stack" in forms


def test_the_packages_are_the_strangers_and_their_names_are_ours(held: tuple[Done, dict, str]) -> None:
    """`losses.absolute_error` is in our own `ptycho`, too, and bound in one of theirs alone."""
    _, results, _ = held
    assert set(results["environment"]) >= {"foreign-torch", "foreign-tf"}
    stacks = {m["stack"] for m in results["contracts"]["losses.absolute_error"]["measurements"]}
    assert stacks == {"foreign-torch"}


def test_subjects_stand_side_by_side_in_a_table(held: tuple[Done, dict, str], project: Path) -> None:
    page = project / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    done = parity(project, "table", "report/results.json", "--write", "page.md")
    assert (done.code, done.out, done.err) == (cli.AGREE, "", "")
    before, table, after = page.read_text().partition(BEGIN)[0], *page.read_text().partition(BEGIN)[2].split(END)
    assert (before, after) == ("before\n", "\nafter\n")
    rows = {line.split(" | ")[0]: line.split(" | ")[1:] for line in table.splitlines() if line.startswith("| ")}
    assert rows["| contract"] == ["foreign-tf", "foreign-torch |"]
    assert rows["| `losses.mae`"] == ["ok / ok †", "ok / ok |"]
    assert rows["| `losses.absolute_error`"] == ["—", "ok / ok |"]
    assert rows["| `optics.far_field_amplitude`"][0].startswith("ok / **")
    assert parity(project, "table", "report/results.json").out == table.removeprefix("\n")
    twice = parity(project, "table", "report/results.json", "report/results.json")
    assert twice.code == cli.NOT_CHECKED
    assert "expected other subjects than in the files before, got foreign-tf again" in twice.err
    page.write_text("no place for it\n")
    assert parity(project, "table", "report/results.json", "--write", "page.md").code == cli.USAGE
    assert page.read_text() == "no place for it\n"


def test_a_contract_that_must_be_bound_and_is_not_is_not_checked(project: Path) -> None:
    required = ("losses.mae", "losses.training_loss", "losses.poisson_nll", "networks.convolve")
    options = [word for contract in required for word in ("--require", contract)]
    done = parity(project, "run", "losses", "--examples", "0", *options)
    assert done.code == cli.NOT_CHECKED
    assert "losses.training_loss: not checked: required, and no stack binds it\n" in done.out
    assert "losses.poisson_nll: not checked: required, and foreign-tf does not bind it\n" in done.out
    assert "networks.convolve: not checked: required, and not asked\n" in done.out
    assert "losses.mae: not checked" not in done.out


def test_a_narrow_constant_is_told_from_wrong_mathematics_where_the_sources_are_widened(project: Path) -> None:
    case = ("--case", "prime/0", "--precision", "f64,wide", "--subject", "foreign-tf")
    done = parity(project, "run", "optics.far_field_amplitude", *case)
    assert done.code == cli.DISAGREE
    assert "  float64, and nothing once widened: single precision, not the mathematics; amplitude" in done.out
    assert parity(project, "run", "optics.far_field_amplitude", *case[:3], "wide", *case[4:]).code == cli.AGREE


def test_single_precision_is_no_cause_of_what_is_wrong_in_widened_sources(tmp_path: Path) -> None:
    project = Path(shutil.copytree(STAND_IN, tmp_path / "project"))
    physics = project / "ptycho" / "physics.py"
    physics.write_text(physics.read_text().replace("1 / pixels", "2 / pixels"))
    case = ("--case", "prime/0", "--precision", "wide", "--subject", "foreign-tf")
    done = parity(project, "run", "optics.far_field_amplitude", *case)
    assert done.code == cli.DISAGREE
    assert "cause: foreign-tf: " in done.out
    assert "an intermediate is float32" not in done.out


def test_the_limit_that_a_subject_declares_holds_unless_you_give_another(tmp_path: Path) -> None:
    project = Path(shutil.copytree(STAND_IN, tmp_path / "project"))
    declared = project / "parity.toml"
    declared.write_text(declared.read_text().replace('"parity_torch.py"', '"parity_torch.py"\nlimit = 0.001'))
    asked = ("losses.mae", "--subject", "foreign-torch", "--case", "even/0")
    done = parity(project, "run", *asked)
    assert done.code == cli.NOT_CHECKED
    assert "foreign-torch took longer than the limit of 0.001 s" in done.out
    assert parity(project, "run", *asked, "--limit", "100").code == cli.AGREE


def test_a_package_from_elsewhere_is_refused(tmp_path: Path, project: Path) -> None:
    shutil.copy(project / "parity_torch.py", tmp_path)
    (tmp_path / "parity.toml").write_text(
        '[subjects.mine]\nframework = "torch"\npackage = "torch"\nbindings = "parity_torch.py"\n'
    )
    done = parity(tmp_path, "run", "losses.mae")
    assert done.code == cli.NOT_CHECKED
    assert f"parity: torch: expected it in {tmp_path}, got " in done.err


BINDINGS = """
from parity_binding import Outside, binds
import mine


@binds("losses.mae")
def mae(predicted, observed):
    return abs(predicted - observed).mean()


@binds("losses.absolute_error")
def absolute_error(predicted, observed):
    return mine.absolute(predicted) + predicted.nothing


@binds("losses.total_variation")
def total_variation(patches):
    return mine.fail(patches)


@binds("optics.illuminate")
def illuminate(patches, probe):
    raise Outside("it never does")
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A project whose bindings are wrong in several ways."""
    (tmp_path / "mine.py").write_text(
        "def absolute(x):\n    return abs(x)\n\n\ndef fail(x):\n    raise RuntimeError('no light')\n"
    )
    (tmp_path / "parity_mine.py").write_text(BINDINGS)
    (tmp_path / "parity.toml").write_text(
        '[subjects.mine]\nframework = "torch"\npackage = "mine"\nbindings = "parity_mine.py"\n'
    )
    return tmp_path


def test_only_what_the_package_itself_does_is_held_against_it(mine: Path) -> None:
    done = parity(mine, "run", "--examples", "0", "--precision", "f64")
    assert done.code == cli.NOT_CHECKED
    held = "not checked: the binding cannot be held: "
    assert f"losses.mae: {held}it runs no code of mine, so that it would hold whatever that does\n" in done.out
    assert f"losses.absolute_error: {held}parity_mine.py, line 13: raised AttributeError: " in done.out
    assert "losses.total_variation: mine disagrees with the oracle, case " in done.out
    assert "raised RuntimeError: no light" in done.out
    assert "optics.illuminate: mine was asked 0 of 8 examples, and none in " in done.out
    listed = parity(mine, "bindings", "check")
    assert listed.code == cli.NOT_CHECKED
    assert re.search(r"optics\.illuminate +claims no stratum: every case is outside", listed.out)
    assert listed.out.endswith("0 of 4 bindings can be held\n")


@pytest.mark.parametrize("command", ["mutants", "samplers", "pipeline", "defects list"])
def test_what_is_about_the_own_stacks_says_so_abroad(mine: Path, command: str) -> None:
    done = parity(mine, *command.split())
    assert done.code == cli.USAGE
    name = command.split()[0]
    said = f"parity: parity {name} is about the stacks of ptycho-parity, and this repository declares subjects: mine; "
    assert done.err.startswith(said)
    assert "Traceback" not in done.err


def test_from_nothing_to_the_first_verdict(tmp_path: Path) -> None:
    """A project is declared, one binding is written, held, broken, and held again: by the command and by pytest."""
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("def mae(a, b):\n    return (a - b).abs().mean()\n")
    done = parity(tmp_path, "init", "losses.mae", "--package", "mine", "--framework", "torch")
    assert (done.code, done.err) == (cli.AGREE, "")
    bindings = tmp_path / "parity_mine.py"
    stub = 'raise NotImplementedError("call what does this in mine")'
    assert "predicted: amplitude, real (B, C, H, W), in √photons / pixel\n" in bindings.read_text()
    assert parity(tmp_path, "run").code == cli.NOT_CHECKED
    written = bindings.read_text().replace(stub, "import mine\n\n    return mine.mae(predicted, observed)")
    bindings.write_text(written)
    assert parity(tmp_path, "run").code == cli.AGREE
    assert parity(tmp_path, "-q", "-m", "parity", "tests", module="pytest").code == pytest.ExitCode.OK
    (package / "__init__.py").write_text("def mae(a, b):\n    return (a - b).abs().sum()\n")
    done = parity(tmp_path, "run")
    assert done.code == cli.DISAGREE
    assert "cause: mine: a sum stands for the mean" in done.out
    tested = parity(tmp_path, "-q", "-m", "parity", "tests", module="pytest")
    assert tested.code == pytest.ExitCode.TESTS_FAILED
    assert "cause: mine: a sum stands for the mean" in tested.out
    again = parity(tmp_path, "init", "--package", "mine", "--framework", "torch")
    assert again.code == cli.USAGE
    assert again.err == "parity: --subject: expected a name that is not declared yet, got 'mine'\n"
    appended = parity(tmp_path, "bindings", "new", "optics.illuminate")
    assert appended.code == cli.AGREE
    assert bindings.read_text().startswith(written)
    assert '@binds("optics.illuminate")\ndef illuminate(patches, probe):\n' in bindings.read_text()
    listed = parity(tmp_path, "bindings", "list").out
    assert f"mine binds 2 of {len(REGISTRY)} contracts" in listed
