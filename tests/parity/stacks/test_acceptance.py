"""A stranger accepts what is meant: divergences declared beside the subjects of `tests/stand_in`."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from parity import cli
from parity.contracts.declared import REGISTRY
from parity.judging.divergences.faults import declared_faults
from parity.judging.divergences.registry import registered
from tests.parity.stacks.test_stand_in import STAND_IN, parity

EXPECTED = '''
"""What foreign-torch does on purpose."""

from parity.physics.oracle.operations import digamma_plus_one, log_gamma_plus_one, square, total


def no_log_gamma(predicted, observed, full):
    return -total(log_gamma_plus_one(square(observed)), axis=(1, 2, 3)) if full else 0.0


def slope_of_log_gamma(cotangent, predicted, observed, full):
    slope = -(2 * observed * digamma_plus_one(square(observed)))
    return {"observed": cotangent[:, None, None, None] * slope} if full else {}


def one_mode(inputs):
    return next(inputs[name].shape[axis] for name, axis in (("exit_waves", 2), ("probe", 0)) if name in inputs) == 1
'''

DIVERGENCES = """
[[divergences]]
contract = "losses.poisson_nll"
stack = "foreign-torch"
kind = "known term"
term = "expected.py:no_log_gamma"
vjp = "expected.py:slope_of_log_gamma"
low = 1
high = 1
reason = "the constant costs time"
expires = 2999-12-31

[[divergences]]
contract = "optics.far_field_amplitude"
stack = "foreign-torch"
kind = "sub-domain"
where = "expected.py:one_mode"
quantities = ["amplitude", "∂/∂exit_waves"]
low = 1e-9
high = inf
reason = "there is one mode at this beamline"
expires = 2999-12-31
breaks = ["Σ Â² = Σ_p Σ |ψ_p|²", "a phase on one mode changes nothing"]
"""

COHERENT = 'torch.fft.fft2(waves.sum(0) * signs, norm="ortho")\n    return field.real**2 + field.imag**2'
INCOHERENT = 'torch.fft.fft2(waves * signs, norm="ortho")\n    return (field.real**2 + field.imag**2).sum(0)'

RUN = ("run", "losses.poisson_nll", "optics.far_field_amplitude", "--examples", "0")


def stranger(folder: Path) -> Path:
    """The stranger's project, of which foreign-torch alone is declared: TensorFlow takes its time to start."""
    copy = Path(shutil.copytree(STAND_IN, folder / "project"))
    declaration = (copy / "parity.toml").read_text()
    (copy / "parity.toml").write_text(declaration[: declaration.index("[subjects.foreign-tf]")])
    return copy


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stranger's project, with all that is planted in foreign-torch accepted."""
    folder = stranger(tmp_path_factory.mktemp("accepting"))
    (folder / "expected.py").write_text(EXPECTED)
    with (folder / "parity.toml").open("a") as file:
        file.write(DIVERGENCES)
    return folder


def changed(project: Path, tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the project in which a file says something else."""
    copy = Path(shutil.copytree(project, tmp_path / "project"))
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    return copy


def test_what_is_accepted_agrees_and_is_measured(project: Path) -> None:
    done = parity(project, *RUN)
    assert (done.code, "2 contracts agree" in done.out) == (cli.AGREE, True), done.out
    measured = parity(project, "divergences", "--examples", "0")
    assert measured.code == cli.AGREE, measured.out
    assert "KnownTerm: plus no" in measured.out


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "said"),
    [
        (
            "ptycho_torch/nn/losses.py",
            "_constant(measured**2) if",
            "2 * _constant(measured**2) if",
            cli.DISAGREE,
            "losses.poisson_nll: foreign-torch disagrees",
        ),
        (
            "ptycho_torch/optics.py",
            COHERENT,
            INCOHERENT,
            cli.DISAGREE,
            "divergence of foreign-torch in optics.far_field_amplitude (SubDomain): never shows in ",
        ),
        ("parity.toml", "there is one mode at this beamline", "", cli.USAGE, "divergences[1].reason: expected why "),
    ],
)
def test_a_change_of_either_side_fails(
    project: Path, tmp_path: Path, file: str, old: str, new: str, code: int, said: str
) -> None:
    done = parity(changed(project, tmp_path, file, old, new), *RUN)
    assert done.code == code
    assert said in done.out + done.err
    assert "Traceback" not in done.err


def test_the_stacks_of_entries_are_the_subjects(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert declared_faults(registered(), REGISTRY) == ()
    named = changed(project, tmp_path, "parity.toml", "low = 1\n", 'low = 1\nnames = ["ptycho_torch.other", "x.y"]\n')
    (named / "parity.toml").write_text(
        (named / "parity.toml")
        .read_text()
        .replace('stack = "foreign-torch"\nkind = "su', 'stack = "torch"\nkind = "su')
    )
    monkeypatch.chdir(named)
    assert [fault.partition(": ")[2] for fault in declared_faults(registered(), REGISTRY)] == [
        "unknown name 'x.y'; there are: losses.poisson_nll",
        "unknown stack 'torch'; there are: foreign-torch",
    ]


def test_a_session_of_pytest_accepts_the_same(project: Path, tmp_path: Path) -> None:
    test = "from parity.contracts.declared import REGISTRY\nimport pytest\n\n\n@pytest.mark.parity\n"
    (project / "test_nll.py").write_text(
        f"{test}def test_nll(parity):\n    parity.hold(REGISTRY['losses.poisson_nll'])\n"
    )
    options = ("-q", "-m", "parity", "--parity-examples", "2", "test_nll.py")
    assert parity(project, *options, module="pytest").code == pytest.ExitCode.OK
    wrong = changed(project, tmp_path, "parity.toml", 'reason = "the constant costs time"', 'reason = ""')
    done = parity(wrong, *options, module="pytest")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert "divergences[0].reason: expected why the difference is accepted" in done.out + done.err


def rows(folder: Path) -> set[tuple[str, str]]:
    """The contracts of a baseline, with the causes of their rows."""
    frozen = tomllib.loads((folder / "parity-baseline.toml").read_text())["disagreements"]
    assert {row["subject"] for row in frozen} == {"foreign-torch"}
    assert {row["precision"] for row in frozen} == {"f32", "f64"}
    return {(row["contract"], row["cause"]) for row in frozen}


NLL = ("losses.poisson_nll", "ln Γ(k+1) is left out")


def test_a_baseline_holds_until_something_changes(tmp_path: Path) -> None:
    folder, contracts = stranger(tmp_path), ("losses.poisson_nll", "losses.mae")
    check, write = ("baseline", "check", *contracts), ("baseline", "write", *contracts)
    written = parity(folder, *write, "--examples", "0")
    assert (written.code, NLL[1] in written.out) == (cli.AGREE, True), written.err
    assert rows(folder) == {NLL}
    assert parity(folder, *check).code == cli.AGREE

    (folder / "test_it.py").write_text(
        "from parity.contracts.declared import REGISTRY\nimport pytest\n\n\n@pytest.mark.parity\n"
        "@pytest.mark.parametrize('name', ['losses.poisson_nll', 'losses.mae'])\n"
        "def test_it(parity, name):\n    parity.hold(REGISTRY[name])\n"
    )
    tested = parity(folder, "-q", "-m", "parity", "--parity-examples", "0", module="pytest")
    assert (tested.code, "1 passed, 1 xfailed" in tested.out) == (pytest.ExitCode.OK, True), tested.out

    losses = folder / "ptycho_torch" / "nn" / "losses.py"
    right = losses.read_text()
    losses.write_text(right.replace("return error.mean()", "return error.sum()"))
    broken = parity(folder, *check)
    assert broken.code == cli.DISAGREE
    where = "losses.mae: foreign-torch in f64, mae: "
    assert re.search(f"{where}is new: .* the cause 'a sum stands for the mean'", broken.out)
    refused = parity(folder, *write)
    assert refused.code == cli.DISAGREE
    assert "not written: parity-baseline.toml: say why with --reason" in refused.out
    assert rows(folder) == {NLL}
    assert parity(folder, *write, "--reason", "mended tomorrow").code == cli.AGREE
    assert rows(folder) == {NLL, ("losses.mae", "a sum stands for the mean")}

    losses.write_text(right)
    gone = parity(folder, *check)
    assert (gone.code, f"{where}is gone; take it out: parity baseline write\n" in gone.out) == (cli.DISAGREE, True)
    assert parity(folder, *write).code == cli.AGREE
    assert rows(folder) == {NLL}
    for wrong in (("--subject", "nobody"), ("--precision", "f64")):
        assert parity(folder, *write, *wrong).code == cli.USAGE
