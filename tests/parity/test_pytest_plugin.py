"""The pytest plugin, in sessions of its own."""

import importlib.util
import textwrap
from typing import Any

import pytest

from parity.contracts import REGISTRY
from parity.frameworks import load
from parity.holding import hypothesis_settings
from parity.profiles import PROFILES
from parity.pytest_plugin import NOT_CHECKED
from parity.run import Plan, run

HOLDS = """
import pytest
from parity.contracts import REGISTRY

@pytest.mark.parity
def test_mae(parity):
    parity.hold(REGISTRY["losses.mae"])
"""

BREAKS = """
import pytest
from parity.contracts import REGISTRY
from ptycho_torch import losses

@pytest.mark.parity
def test_mae(parity, monkeypatch):
    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * (1 + {gain}))
    parity.hold(REGISTRY["losses.mae"])
"""


@pytest.fixture(scope="module", autouse=True)
def _frameworks_are_imported() -> None:
    """And used once, here: a session within forgets what it imports, and no framework can be imported twice."""
    list(run(Plan((REGISTRY["losses.mae"],), examples=0), load()))


@pytest.fixture(autouse=True)
def _outside_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def session(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("--strict-markers", "-m", "parity", *options)


@pytest.mark.parametrize(
    ("environment", "options", "profile", "examples"),
    [
        ({}, (), "dev", 10),
        ({"CI": "true"}, (), "ci", 20),
        ({"CI": "1"}, (), "ci", 20),
        ({"CI": "false"}, (), "dev", 10),
        ({"CI": "true"}, ("--parity-profile", "nightly"), "nightly", 1000),
        ({}, ("--parity-profile", "ci", "--parity-examples", "3"), "ci", 3),
    ],
)
def test_the_header_says_how_much_is_tried(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: tuple[str, ...],
    profile: str,
    examples: int,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = session(pytester, HOLDS, "--collect-only", *options)
    line = f"parity: profile {profile}, {examples} drawn cases a contract besides its strata"
    result.stdout.fnmatch_lines([line])


def test_an_unknown_profile_is_wrong_usage(pytester: pytest.Pytester) -> None:
    assert session(pytester, HOLDS, "--parity-profile", "weekly").ret == pytest.ExitCode.USAGE_ERROR


def test_only_what_must_not_change_from_run_to_run_is_derandomised() -> None:
    settings = {name: hypothesis_settings(profile, REGISTRY["losses.mae"]) for name, profile in PROFILES.items()}
    assert {name for name, chosen in settings.items() if chosen.derandomize} == {"ci"}
    assert {name for name, chosen in settings.items() if chosen.database is None} == {"ci"}


def test_what_holds_is_summed_up_in_a_table(pytester: pytest.Pytester) -> None:
    result = session(pytester, HOLDS, "--parity-examples", "1", "--parity-profile", "ci")
    examples = len(REGISTRY["losses.mae"].strata) + 1
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*= parity =*",
            "contract * torch * float64 gap * verdict",
            f"losses.mae * {examples} * agree*",
            f"1 contract agrees on {examples} examples (profile *)",
        ]
    )


def test_a_failure_names_stack_contract_and_case_and_shows_no_code(pytester: pytest.Pytester) -> None:
    result = session(pytester, BREAKS.format(gain=1e-12), "--parity-profile", "ci")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "losses.mae: torch disagrees with the oracle (tensorflow agrees), case even/0",
            "  torch, * in float64: * times the bound)",
            "  reproduce: parity run losses.mae --case even/0",
            "losses.mae * torch disagrees*",
            "1 of 1 contracts do not agree: losses.mae (profile ci, *)",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*parity.hold(*")
    result.stdout.no_fnmatch_line("*def test_mae*")


def test_a_failure_of_a_drawn_case_is_shrunk_to_the_first_stratum_and_the_smallest_seed(
    pytester: pytest.Pytester,
) -> None:
    """Wrong on odd numbers of rows from fifteen on, which no stratum begins with; the first to have one is `odd`."""
    source = BREAKS.format(gain="(predicted.shape[2] in (15, 31, 33, 61, 63))")
    result = session(pytester, source, "--parity-profile", "ci")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  reproduce: parity run losses.mae --case odd/1"])


def test_a_failure_found_by_chance_is_kept_whatever_else_is_held(pytester: pytest.Pytester) -> None:
    """What holds for another contract says nothing of this one."""
    source = BREAKS.format(gain="(predicted.shape[2] in (15, 31, 33, 61, 63))") + textwrap.dedent("""
        @pytest.mark.parity
        def test_mask(parity):
            parity.hold(REGISTRY["probe.mask"])
    """)
    session(pytester, source, "-k", "test_mae", "--parity-examples", "40").assert_outcomes(failed=1, deselected=1)
    saved = set(pytester.path.rglob(".hypothesis/parity/**/*"))
    session(pytester, source, "-k", "test_mask", "--parity-examples", "5").assert_outcomes(passed=1, deselected=1)
    assert saved
    assert saved <= set(pytester.path.rglob(".hypothesis/parity/**/*"))


def test_what_cannot_be_said_does_not_pass(pytester: pytest.Pytester) -> None:
    source = HOLDS.replace(
        'parity.hold(REGISTRY["losses.mae"])',
        "from dataclasses import replace; from parity.contract import Quota\n"
        '    parity.hold(replace(REGISTRY["losses.mae"], quota=Quota(undecided=-1.0)))',
    )
    result = session(pytester, source, "--parity-examples", "1", "--parity-profile", "ci")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["losses.mae: undecided", "  mae in f32: 0.00% of the elements have no bound, quota *"])


def test_without_a_framework_the_session_ends_unchecked(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, *arguments: Any) -> Any:
        return None if name == "tensorflow" else found(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    result = session(pytester, HOLDS)
    assert result.ret == NOT_CHECKED == 3
    result.stdout.fnmatch_lines(
        ["*parity: tensorflow is not installed, so ptycho cannot be checked: pip install 'ptycho-parity?tensorflow?'*"]
    )


def test_a_session_that_holds_nothing_has_no_summary(pytester: pytest.Pytester) -> None:
    result = session(pytester, "import pytest\n\n@pytest.mark.parity\ndef test_nothing(): pass")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*= parity =*")


def test_a_session_that_asks_for_no_contract_imports_nothing_of_the_harness(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_it():
            heavy = {"hypothesis.strategies", "numpy", "scipy", "parity.contract", "tensorflow", "torch"}
            assert not heavy & set(sys.modules)
    """)
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("parity: *")
