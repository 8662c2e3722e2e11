"""Where a golden comes from, asked of real repositories."""

import subprocess
from pathlib import Path

import pytest

from parity._ground.errors import UsageError
from parity.goldens import provenance
from parity.goldens.provenance import (
    SIMULATED,
    Stamp,
    head,
    require_committed,
    require_person,
    require_reason,
    today,
    uncommitted,
    versions,
)


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of three packages, all committed."""
    monkeypatch.delenv("GIT_DIR", raising=False)
    for package in ("parity", "ptycho", "ptycho_torch"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "losses.py").write_text(f"{package} = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "all")
    return tmp_path


def test_the_commit_is_the_one_that_is_checked_out(root: Path) -> None:
    assert head(root) == git(root, "rev-parse", "HEAD").strip()
    assert len(head(root)) == 40


def test_nothing_is_uncommitted_in_a_clean_tree(root: Path) -> None:
    assert uncommitted(("parity", "ptycho", "ptycho_torch"), root) == ()
    require_committed(("parity",), root)


def test_a_change_counts_staged_or_not_and_so_does_a_file_that_git_does_not_know(root: Path) -> None:
    (root / "parity" / "losses.py").write_text("changed\n")
    (root / "ptycho" / "losses.py").write_text("staged\n")
    git(root, "add", "ptycho")
    (root / "ptycho_torch" / "new one é.py").write_text("")
    everything = ("parity", "ptycho", "ptycho_torch")
    assert uncommitted(everything, root) == ("parity/losses.py", "ptycho/losses.py", "ptycho_torch/new one é.py")


def test_a_file_that_is_renamed_counts_by_both_names(root: Path) -> None:
    git(root, "mv", "ptycho/losses.py", "ptycho/renamed.py")
    assert uncommitted(("ptycho",), root) == ("ptycho/losses.py", "ptycho/renamed.py")


def test_a_file_that_is_deleted_counts(root: Path) -> None:
    (root / "ptycho" / "losses.py").unlink()
    assert uncommitted(("ptycho",), root) == ("ptycho/losses.py",)


def test_changes_elsewhere_do_not_count(root: Path) -> None:
    (root / "notes.txt").write_text("")
    (root / "ptycho_torch" / "losses.py").write_text("changed\n")
    assert uncommitted(("parity", "ptycho"), root) == ()


def test_of_no_package_nothing_is_uncommitted(root: Path) -> None:
    (root / "notes.txt").write_text("")
    assert uncommitted((), root) == ()
    require_committed((), root)


def test_uncommitted_code_makes_no_golden_and_the_message_says_which_and_what_to_do(root: Path) -> None:
    (root / "parity" / "losses.py").write_text("changed\n")
    with pytest.raises(UsageError) as one:
        require_committed(("parity", "ptycho"), root)
    said = "expected committed code, whose commit a golden can name, got changes; commit them first"
    assert str(one.value) == f"parity/losses.py: {said}"
    (root / "ptycho" / "losses.py").unlink()
    with pytest.raises(UsageError) as more:
        require_committed(("parity", "ptycho"), root)
    assert str(more.value) == f"parity/losses.py and 1 more: {said}"


def test_outside_a_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match=f"^{tmp_path}: expected a git repository, whose commit a golden names, got: "):
        head(tmp_path)


def test_without_git_there_is_no_commit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match=r"^git: expected it to be installed, got no such command$"):
        head(root)


@pytest.mark.parametrize("ci", ["true", "1", "True"])
def test_in_ci_nobody_reviews(ci: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(UsageError, match=r"^CI: expected a person .*, got CI=true; do it on your own machine$"):
        require_person()


@pytest.mark.parametrize("ci", ["false", "", None])
def test_elsewhere_a_person_does(ci: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if ci is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", ci)
    require_person()


def test_a_reason_is_one_line() -> None:
    assert require_reason("  numpy 3\n rounds\tanew ") == "numpy 3 rounds anew"


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_no_reason_is_none(reason: str) -> None:
    with pytest.raises(UsageError, match=r"^--reason: expected why the goldens change, .*, got nothing$"):
        require_reason(reason)


def test_the_versions_are_those_of_all_that_computes(stamp: Stamp) -> None:
    names = ["numpy", "ptycho-parity", "python", "scipy", "tensorflow", "torch"]
    assert sorted(versions(stamp.frameworks)) == names
    assert sorted(versions(())) == names[:4]


def test_a_stamp_says_all_that_a_reviewer_asks(stamp: Stamp, frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "today", lambda: "2031-02-03")
    stamped = stamp.on(frozen("losses.mae"), SIMULATED, {"torch": "why not"}).provenance
    assert {key: stamped[key] for key in ("commit", "date", "inputs", "reason", "withheld")} == {
        "commit": stamp.commit,
        "date": "2031-02-03",
        "inputs": "simulated",
        "reason": "the first goldens",
        "withheld": {"torch": "why not"},
    }
    assert stamped["stacks"].keys() == {"tensorflow", "torch"}
    assert all("eager, cpu" in said for said in stamped["stacks"].values())
    assert stamped["versions"] == versions(stamp.frameworks)
    assert stamped["platform"]


def test_the_date_is_a_date() -> None:
    year, month, day = today().split("-")
    assert (len(year), len(month), len(day)) == (4, 2, 2)
