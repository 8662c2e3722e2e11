"""Git is asked in a folder, and refuses in its own words."""

from pathlib import Path

import pytest

from parity._ground.git import GitError, GitMissing, git


def test_what_git_prints(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert git(tmp_path, "rev-parse", "--is-inside-work-tree") == b"true\n"


def test_a_refusal_is_told_as_git_tells_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(GitError, match=r"^fatal: bad revision 'nosuch'$"):
        git(tmp_path, "rev-parse", "nosuch", "--")


def test_where_there_is_no_git_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissing, match=r"^git: expected it to be installed, got no such command$"):
        git(tmp_path, "status")
