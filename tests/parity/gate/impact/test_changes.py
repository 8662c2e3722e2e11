import subprocess

import pytest

from parity._ground.errors import UsageError
from parity.gate.impact.changes import PULL_REQUEST_BASE, BaseUnknown, changes_since


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit on main, and a branch beside it."""
    monkeypatch.delenv(PULL_REQUEST_BASE, raising=False)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "someone")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "someone@example.org")
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "kept.py").write_text("x = 1\n")
    (tmp_path / "gone.py").write_text("y = 1\n")
    commit(tmp_path)
    git(tmp_path, "switch", "-q", "-c", "work")
    return tmp_path


def git(place, *arguments):
    subprocess.run(["git", "-c", "commit.gpgsign=false", *arguments], cwd=place, check=True, capture_output=True)


def commit(place):
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "why")


def paths(changes):
    return [change.path for change in changes.files]


def test_nothing_differs_from_where_nothing_was_done(repository):
    assert changes_since(repository).files == ()


def test_what_was_committed_changed_and_made_since_the_main_branch_differs(repository):
    (repository / "kept.py").write_text("x = 2\n")
    commit(repository)
    (repository / "gone.py").unlink()
    (repository / "new ü.py").write_text("z = 1\n")
    found = {change.path: (change.old, change.new) for change in changes_since(repository).files}
    assert found == {
        "kept.py": (b"x = 1\n", b"x = 2\n"),
        "gone.py": (b"y = 1\n", None),
        "new ü.py": (None, b"z = 1\n"),
    }


def test_what_the_main_branch_did_meanwhile_is_not_ours(repository):
    git(repository, "switch", "-q", "main")
    (repository / "theirs.py").write_text("a = 1\n")
    commit(repository)
    git(repository, "switch", "-q", "work")
    assert changes_since(repository).files == ()
    assert changes_since(repository, "main").files == ()


def test_a_change_that_was_taken_back_is_none(repository):
    (repository / "kept.py").write_text("x = 2\n")
    commit(repository)
    (repository / "kept.py").write_text("x = 1\n")
    assert changes_since(repository).files == ()


def test_a_file_that_has_another_name_differs_under_both(repository):
    git(repository, "mv", "kept.py", "moved.py")
    commit(repository)
    assert paths(changes_since(repository)) == ["kept.py", "moved.py"]


def test_in_a_pull_request_the_base_is_the_branch_it_goes_to(repository, monkeypatch):
    git(repository, "branch", "release")
    (repository / "kept.py").write_text("x = 2\n")
    commit(repository)
    git(repository, "branch", "-f", "main", "work")
    monkeypatch.setenv(PULL_REQUEST_BASE, "release")
    assert paths(changes_since(repository)) == ["kept.py"]
    monkeypatch.setenv(PULL_REQUEST_BASE, "not-fetched")
    with pytest.raises(BaseUnknown, match="fetch-depth: 0"):
        changes_since(repository)


@pytest.mark.parametrize("revision", ["no-such", "--all", ""])
def test_a_revision_that_is_none_is_refused(repository, revision):
    with pytest.raises(UsageError, match="expected a commit"):
        changes_since(repository, revision)


def test_histories_that_have_nothing_in_common_are_refused(repository):
    git(repository, "checkout", "-q", "--orphan", "island")
    (repository / "kept.py").write_text("x = 2\n")
    commit(repository)
    with pytest.raises(BaseUnknown, match="in common"):
        changes_since(repository, "main")


def test_outside_a_repository_there_is_nothing_to_compare(tmp_path):
    with pytest.raises(BaseUnknown, match="expected a git repository"):
        changes_since(tmp_path)
