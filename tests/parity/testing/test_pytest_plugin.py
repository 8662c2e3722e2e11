"""The pytest plugin, in sessions of its own."""

import importlib.util
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest

from parity._ground.codes import NOT_CHECKED
from parity.contracts.cases.case import parse_case
from parity.contracts.cases.profiles import PROFILES
from parity.contracts.declared import REGISTRY
from parity.goldens.folder import GoldenSet
from parity.goldens.provenance import Stamp
from parity.goldens.publish import publish
from parity.goldens.regenerate import promote
from parity.judging.run import Plan, run
from parity.physics.precision import FLOAT32
from parity.stacks import load
from parity.stacks.base import Framework
from parity.testing.holding import hypothesis_settings

HOLDS = """
import pytest
from parity.contracts.declared import REGISTRY

@pytest.mark.parity
def test_mae(parity):
    parity.hold(REGISTRY["losses.mae"])
"""

BREAKS = """
import pytest
from parity.contracts.declared import REGISTRY
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
def _outside_continuous_integration(monkeypatch: pytest.MonkeyPatch, in_process: None) -> None:
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
        "from dataclasses import replace; from parity.contracts.contract import Quota\n"
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
            heavy = {"hypothesis.strategies", "numpy", "scipy", "parity.contracts.contract", "tensorflow", "torch"}
            assert not heavy & set(sys.modules)
    """)
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("parity: *")


REPLAYS = """
import pytest
from parity.contracts.declared import REGISTRY

@pytest.mark.golden
def test_golden(goldens, monkeypatch):
    {before}
    goldens.replay(REGISTRY["{contract}"])
"""

WRONG = """
    from ptycho_torch import losses
    right = losses.mae
    monkeypatch.setattr(losses, "mae", lambda predicted, observed: right(predicted, observed) * 1.001)
"""


@pytest.fixture(scope="module")
def small_set(tmp_path_factory: pytest.TempPathFactory, stacks: tuple[Framework, ...]) -> Path:
    """Two goldens of one contract, frozen once. Not to be changed."""
    folder = tmp_path_factory.mktemp("small") / "golden"
    stamp = Stamp("the first goldens", "c" * 40, stacks)
    cases = [parse_case(REGISTRY["losses.mae"], name) for name in ("even/0", "odd/0")]
    goldens = [promote(case, FLOAT32, stamp, uncommitted={}) for case in cases]
    publish(folder, GoldenSet.empty(), {golden.name: golden for golden in goldens}, stamp)
    return folder


@pytest.fixture
def fixtures(pytester: pytest.Pytester, small_set: Path) -> Path:
    """A copy of it where sessions look for goldens."""
    return Path(shutil.copytree(small_set, pytester.path / "fixtures" / "golden"))


def golden_session(
    pytester: pytest.Pytester, *options: str, before: str = "pass", contract: str = "losses.mae"
) -> pytest.RunResult:
    pytester.makepyfile(REPLAYS.format(before=before.strip(), contract=contract))
    return pytester.runpytest_inprocess("--strict-markers", "-m", "golden", *options)


def content_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize("options", [(), ("--golden-stack", "torch"), ("--golden-stack", "tensorflow")])
def test_goldens_are_replayed(pytester: pytest.Pytester, fixtures: Path, options: tuple[str, ...]) -> None:
    golden_session(pytester, *options).assert_outcomes(passed=1)


def test_goldens_may_lie_elsewhere(pytester: pytest.Pytester, fixtures: Path) -> None:
    fixtures.rename(pytester.path / "frozen")
    pytester.makeini("[pytest]\ngolden_fixtures = frozen\n")
    golden_session(pytester).assert_outcomes(passed=1)


def test_a_golden_that_is_not_held_fails_with_its_message_and_shows_no_code(
    pytester: pytest.Pytester, fixtures: Path
) -> None:
    before = content_of(fixtures)
    result = golden_session(pytester, before=WRONG)
    result.assert_outcomes(failed=1)
    for name in ("losses.mae/even-0", "losses.mae/odd-0"):
        result.stdout.fnmatch_lines(
            [
                f"golden {name}: torch disagrees with the oracle (tensorflow agrees)",
                "  torch, mae in float32: * times the bound)",
                f"  reproduce: parity golden replay {name}",
            ]
        )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*def test_golden*")
    assert content_of(fixtures) == before


def test_one_stack_is_part_of_the_line_that_repeats_a_failure(pytester: pytest.Pytester, fixtures: Path) -> None:
    result = golden_session(pytester, "--golden-stack", "torch", before=WRONG)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "golden losses.mae/even-0: torch disagrees with the oracle",
            "  reproduce: parity golden replay losses.mae/even-0 --stack torch",
        ]
    )
    golden_session(pytester, "--golden-stack", "tensorflow", before=WRONG).assert_outcomes(passed=1)


def test_a_contract_without_a_golden_fails_and_says_how_to_make_one(pytester: pytest.Pytester, fixtures: Path) -> None:
    result = golden_session(pytester, contract="losses.poisson_nll")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "losses.poisson_nll: expected a golden, got none: "
            "parity golden promote losses.poisson_nll --reason 'a new contract'"
        ]
    )


def test_a_golden_that_no_longer_fits_its_contract_fails(pytester: pytest.Pytester, fixtures: Path) -> None:
    older = (
        "from dataclasses import replace; contract = REGISTRY['losses.mae']; "
        "goldens.replay(replace(contract, arguments=contract.arguments[:1]))"
    )
    result = golden_session(pytester, before=older)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["losses.mae/even-0: expected arguments of losses.mae, got observed"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_damaged_goldens_end_the_session_unchecked(pytester: pytest.Pytester, fixtures: Path) -> None:
    with (fixtures / "losses.mae" / "odd-0.npz").open("ab") as file:
        file.write(b"!")
    before = content_of(fixtures)
    result = golden_session(pytester)
    assert result.ret == NOT_CHECKED
    result.stdout.fnmatch_lines([f"*golden: {fixtures}: losses.mae/odd-0.npz: expected * bytes, got *"])
    assert content_of(fixtures) == before


def test_without_goldens_the_session_ends_unchecked(pytester: pytest.Pytester) -> None:
    result = golden_session(pytester)
    assert result.ret == NOT_CHECKED
    result.stdout.fnmatch_lines(
        [f"*golden: {pytester.path}/fixtures/golden: expected a folder with goldens, got none*"]
    )


def test_goldens_of_one_stack_need_no_other_framework(
    pytester: pytest.Pytester, fixtures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, *arguments: Any) -> Any:
        return None if name == "tensorflow" else found(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    golden_session(pytester, "--golden-stack", "torch").assert_outcomes(passed=1)
    result = golden_session(pytester)
    assert result.ret == NOT_CHECKED
    result.stdout.fnmatch_lines(["*tensorflow is not installed, so ptycho cannot be checked: *"])


def test_goldens_are_replayed_in_torch_where_tensorflow_cannot_be_imported(
    pytester: pytest.Pytester, fixtures: Path
) -> None:
    """In a process of its own, blocked before anything else is imported."""
    pytester.makepyfile(
        without_tensorflow="""
        import sys

        for name in ("tensorflow", "keras"):
            sys.modules[name] = None
        """
    )
    pytester.makepyfile(
        REPLAYS.format(before="import sys; assert sys.modules['tensorflow'] is None", contract="losses.mae")
    )
    pytester.syspathinsert()
    result = pytester.runpytest_subprocess("-p", "without_tensorflow", "-m", "golden", "--golden-stack", "torch")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["jax", ""])
def test_an_unknown_stack_is_wrong_usage(pytester: pytest.Pytester, name: str) -> None:
    assert golden_session(pytester, "--golden-stack", name).ret == pytest.ExitCode.USAGE_ERROR


def test_no_option_of_a_session_rewrites_goldens(pytester: pytest.Pytester) -> None:
    """What the plugin adds to pytest's options: to choose what is tried, and in which stacks."""
    result = pytester.runpytest_inprocess("--help")
    lines = result.stdout.str().partition("\nparity:\n")[2].partition("\n\n")[0]
    options = {word.partition("=")[0] for word in lines.split() if word.startswith("--")}
    assert options == {"--parity-profile", "--parity-examples", "--golden-stack"}
