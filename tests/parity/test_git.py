"""Git is asked in a folder, and refuses in its own words."""

from pathlib import Path

import pytest

from parity._ground import git as asked
from parity._ground.git import GitError, GitMissing, git, top_of


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


def test_a_git_that_hangs_is_ended_with_all_that_it_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nsleep 1000 & sleep 1000\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(asked, "LIMIT", 0.2)
    with pytest.raises(GitError, match=r"^git status did not end within 0\.2 s$"):
        git(tmp_path, "status")


def test_the_folder_says_which_repository_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", ".git")
    assert top_of(tmp_path / "one") == tmp_path / "one"
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert git(tmp_path / "one", "rev-parse", "--absolute-git-dir").decode().strip() == str(tmp_path / "one" / ".git")
    with pytest.raises(GitError, match=r"^GIT_DIR names .*/other/\.git, and .*/one/\.git belongs to .*/one; unset it$"):
        top_of(tmp_path / "one")
