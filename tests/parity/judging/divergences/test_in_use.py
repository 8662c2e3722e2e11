"""Accepted divergences in runs, test sessions, goldens and trees of stages."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from parity import cli
from parity._ground.errors import UsageError
from parity.contracts.cases.case import parse_case
from parity.contracts.cases.profiles import Profile
from parity.contracts.changes import returning
from parity.contracts.declared import REGISTRY
from parity.contracts.fault import Fault
from parity.faults.injection import injected
from parity.goldens.freeze import freeze, golden_inputs
from parity.goldens.replay import replay
from parity.judging.divergences import Divergence, PositiveFactor, Reduction, SubDomain, registry
from parity.judging.divergences.declared import read_divergences
from parity.judging.divergences.factors import To
from parity.judging.divergences.faults import declared_faults
from parity.judging.divergences.registry import accepted_in, registered
from parity.judging.measurement import Measurement
from parity.judging.quantity import result_of
from parity.judging.run import Holder, Plan, run
from parity.physics.precision import FLOAT32, FLOAT64
from parity.report.messages import finding
from parity.stacks import load
from parity.stacks.base import Framework
from parity.stacks.declaration import nearest
from parity.testing.holding import Given, Harness

MAE = REGISTRY["losses.mae"]
TRIPLED = Fault("losses.mae", "tripled", "is three times what it is", returning(lambda xp, mae, a: 3 * mae))
ENTRY = Divergence(
    "losses.mae", "torch", PositiveFactor(), 2.99, 3.01, "a convention that users rely on", date(2999, 12, 31)
)
TITLE = "divergence of torch in losses.mae (PositiveFactor)"
SUBJECT = 'framework = "torch"\npackage = "ptycho_torch"\nmirror = true\n'
FEW = ("--examples", "0", "--precision", "f64", "--mode", "eager")

Parity = Callable[..., tuple[int, str, str]]


def tripled() -> AbstractContextManager[None]:
    return injected(TRIPLED, "torch")


@pytest.fixture
def accept(monkeypatch) -> Callable[..., None]:
    """Accept entries, and nothing else."""
    return lambda *entries: monkeypatch.setattr(registry, "accepted_by", lambda folder: entries)


def test_what_is_registered_is_right_today():
    assert declared_faults(registered(), REGISTRY) == ()


def test_entries_by_contract(accept):
    accept(ENTRY, replace(ENTRY, contract="losses.complex_mae"))
    assert accepted_in(["losses.mae", "probe.disk"]) == (ENTRY,)


ONE_CASE = ("--case", "even/0", *FEW[2:])
LONG_AGO = date(2000, 1, 1)


@pytest.mark.parametrize(
    ("changes", "is_tripled", "options", "code", "said"),
    [
        ({}, True, FEW, cli.AGREE, ()),
        ({}, False, ONE_CASE, cli.AGREE, ()),  # which does not show that an entry never does
        ({}, False, FEW, cli.DISAGREE, (f"{TITLE}: never shows in {len(MAE.strata)} examples: take it out",)),
        ({"expires": LONG_AGO}, False, FEW, cli.DISAGREE, (f"{TITLE}: expired on 2000-01-01",)),
        ({"strata": ("dork",)}, False, FEW, cli.DISAGREE, (f"{TITLE}: unknown stratum 'dork'",)),
        (
            {"low": 4.0, "high": 5.0},
            True,
            FEW,
            cli.DISAGREE,
            (
                "its accepted divergence (PositiveFactor) measures 3, expected 4 to 5",
                f"{TITLE}: measured 3 in mae of case ",
            ),
        ),
        (
            {"kind": Reduction("target", "HW", To.SUM)},
            True,
            ("--stack", "torch", *FEW),
            cli.DISAGREE,
            ("(Reduction): unknown argument 'target'",),
        ),
        (
            {"kind": SubDomain(lambda inputs: np.ones(3, bool))},
            True,
            ("--stack", "torch", *FEW),
            cli.NOT_CHECKED,
            ("divergence of torch in losses.mae (SubDomain): taking it off raised ValueError: ",),
        ),
    ],
)
def test_a_run_agrees_with_what_is_accepted_or_says_why_not(
    accept, parity_command, changes, is_tripled, options, code, said
):
    accept(replace(ENTRY, **changes))
    with tripled() if is_tripled else nullcontext():
        ended, out, err = parity_command("run", "losses.mae", *options)
    assert (ended, "Traceback" in err) == (code, False)
    assert all(sentence in out + err for sentence in said)
    assert said or "divergence" not in out


def test_a_run_of_other_contracts_does_not_ask(accept, parity_command):
    accept(replace(ENTRY, expires=LONG_AGO), replace(ENTRY, contract="losses.mea"))
    assert parity_command("run", "scaling.scale_nphotons", *FEW)[0] == cli.AGREE


@pytest.fixture
def measured(parity_command, monkeypatch):
    """`parity divergences` of torch alone, in this process."""
    monkeypatch.setattr("parity.cli.divergences.engage", lambda names: load(["torch"], mode="eager"))
    return lambda *arguments: parity_command("divergences", *arguments, *FEW[:4])[:2]


def test_the_command_lists_what_is_accepted_and_how_large_it_is(accept, measured):
    accept(ENTRY)
    with tripled():
        code, out = measured()
    assert code == cli.AGREE
    words = " ".join(out.split())
    for part in ("losses.mae torch PositiveFactor:", "2.99 … 3.01", "2999-12-31", " 3 "):
        assert part in words
    code, out = measured()
    assert code == cli.DISAGREE
    assert f"{TITLE}: never shows" in out


def test_an_entry_is_proposed_and_appended_and_wants_its_reason(
    accept, measured, parity_command, monkeypatch, tmp_path
):
    accept()
    file = tmp_path / "pyproject.toml"
    file.write_text(f"# mine\n[tool.parity.subjects.torch]\n{SUBJECT}")
    monkeypatch.setattr("parity.cli.divergences.declaring", lambda folder: nearest(tmp_path))
    with tripled():
        code, out = measured("propose", "losses.mae", "probe.disk")
        assert code == cli.AGREE
        assert out.startswith('[[tool.parity.divergences]]\ncontract = "losses.mae"\nstack = "torch"\nkind = "positive')
        assert measured("propose", "losses.mae", "--append")[0] == cli.AGREE
    assert file.read_text() == f"# mine\n[tool.parity.subjects.torch]\n{SUBJECT}\n{out.rstrip()}\n"
    with pytest.raises(UsageError, match=r"divergences\[0\].reason: expected why the difference is accepted"):
        read_divergences(*nearest(tmp_path))
    file.write_text(file.read_text().replace('reason = ""', 'reason = "users rely on it"'))
    accept(*read_divergences(*nearest(tmp_path)))
    with tripled():
        assert parity_command("run", "losses.mae", "--stack", "torch", *FEW)[0] == cli.AGREE
        assert measured("propose", "losses.mae") == (cli.AGREE, "\n")


def test_what_no_kind_explains_is_listed(accept, measured):
    accept()
    with injected(Fault("losses.mae", "squared", "is squared", returning(lambda xp, mae, a: xp.square(mae))), "torch"):
        code, out = measured("propose", "losses.mae")
    assert (code, out) == (cli.DISAGREE, "\nlosses.mae: no kind explains how torch disagrees\n")


def test_an_empty_registry_says_so_and_needs_no_framework(accept, parity_command, monkeypatch):
    accept()
    monkeypatch.setattr("parity.cli.divergences.engage", pytest.fail)
    code, out, _ = parity_command("divergences")
    assert (code, out.split(":")[0]) == (cli.AGREE, "no divergence is accepted")


def test_an_unknown_contract_is_listed_with_its_fault(accept, parity_command):
    accept(replace(ENTRY, contract="losses.mea"))
    code, out, _ = parity_command("divergences")
    assert code == cli.DISAGREE
    assert "unknown contract 'losses.mea'" in out


def hold(stacks: tuple[Framework, ...]) -> str:
    """What a test says that holds the contract; '' if it passes."""
    try:
        Harness(Given(Holder(stacks)), Profile(0, True), []).hold(MAE)
    except pytest.fail.Exception as failed:
        return str(failed)
    return ""


def test_a_test_passes_with_what_is_accepted_and_fails_without(stacks, accept):
    accept(ENTRY)
    with tripled():
        assert hold(stacks) == ""
        accept()
        assert "torch disagrees with the oracle" in hold(stacks)
        accept(replace(ENTRY, low=4.0, high=5.0))
        assert "measures 3, expected 4 to 5" in hold(stacks)
    accept(ENTRY)
    assert hold(stacks) == f"{TITLE}: never shows in {len(MAE.strata)} examples: take it out"


def test_a_session_ends_before_a_test_where_an_entry_has_expired(pytester, accept):
    pytester.makepyfile("import pytest\n\n@pytest.mark.parity\ndef test_one(): pass\n\ndef test_other(): pass")
    accept(replace(ENTRY, expires=LONG_AGO))
    result = pytester.runpytest_inprocess("-m", "parity")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*{TITLE.replace('(', '?').replace(')', '?')}: expired on 2000-01-01*"])
    assert pytester.runpytest_inprocess("-m", "not parity").ret == pytest.ExitCode.OK


def test_a_golden_is_replayed_without_what_is_accepted(stacks, accept):
    accept()
    inputs = golden_inputs(parse_case(MAE, "many/0"), FLOAT32)
    golden = freeze(MAE, "many", 0, inputs[2], *inputs[:2], stacks).golden
    alone = tuple(stack for stack in stacks if stack.name == "torch")
    with tripled():
        agrees = []
        for entries in ((), (ENTRY,), (replace(ENTRY, low=4.0, high=5.0),)):
            accept(*entries)
            agrees.append(replay(golden, MAE, alone).verdict.agrees)
    assert agrees == [False, True, False]


def test_a_stage_that_diverges_is_shown_as_wrong_and_named_as_accepted(accept, parity_command):
    accept(ENTRY)
    with tripled():
        code, out, _ = parity_command("explain", "losses.mae", "--case", "even/0", *FEW[2:])
    assert code == cli.DISAGREE
    assert f"accepted, and not taken off here: {TITLE}: times one factor" in out


def test_a_message_says_what_was_taken_off():
    of = ("losses.mae", "even/0", "f64", result_of("mae"), "torch")
    said = "torch, mae in float64: 1, an accepted divergence of 3 taken off, oracle 2: error 0, allowed 0 (5 times "
    found = finding(MAE, Measurement(*of, ratio=5, got="1", expected="2", divergence=3.0))
    assert found == f"{said}the bound)"


def test_sizes_reach_the_run(stacks, accept):
    accept(ENTRY)
    with tripled():
        (result,) = run(Plan((MAE,), examples=1, precisions=(FLOAT64,), case="even/0"), stacks)
    taken_off = {m.quantity.text for m in result.measurements if m.divergence == pytest.approx(3)}
    assert taken_off == {"mae", "∂/∂predicted", "∂/∂observed"}
