import dataclasses

import pytest

from parity._ground.errors import UsageError
from parity._ground.git import git
from parity.gate.check.judged import Submission, pushed, staged
from parity.gate.check.pushes import Push, handed_on
from parity.gate.check.pushes import _push as read_line  # the lines themselves come on a standard input

HERE = {"PRE_COMMIT_REMOTE_NAME": "fork", "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/work"}
A, B, NONE = "a" * 40, "b" * 40, "0" * 40


@pytest.mark.parametrize(
    ("environment", "push"),
    [
        ({}, None),
        ({"PRE_COMMIT_TO_REF": A, "PRE_COMMIT_FROM_REF": B}, Push(A, A, since=B)),
        ({"PRE_COMMIT_TO_REF": A, "PRE_COMMIT_FROM_REF": NONE}, Push(A, A)),
        ({**HERE, "PRE_COMMIT_TO_REF": A, "PRE_COMMIT_FROM_REF": B}, Push("refs/heads/work", A, "", B, "fork")),
        (HERE, Push("refs/heads/work", "refs/heads/work", remote="fork")),
    ],
)
def test_what_pre_commit_hands_on(environment, push):
    assert handed_on(environment) == push


@pytest.mark.parametrize(
    ("line", "push"),
    [
        (f"refs/heads/x {A} refs/heads/y {B}", Push("refs/heads/x", A, "refs/heads/y", B, "fork")),
        (f"refs/heads/x {A} refs/heads/y {NONE}", Push("refs/heads/x", A, "refs/heads/y", "", "fork")),
        (f"(delete) {NONE} refs/heads/y {B}", Push("(delete)", "", "refs/heads/y", B, "fork")),
        (f"HEAD^{{/a word}} {A} refs/heads/y {B}", Push("HEAD^{/a word}", A, "refs/heads/y", B, "fork")),
    ],
)
def test_what_git_tells_a_hook(line, push):
    assert read_line(line, "fork") == push


@pytest.mark.parametrize("line", ["x", f"a {A} b", f"a {A} b {B[1:]}", f"a {A.upper()} b {B}"])
def test_what_git_does_not_write_is_refused(line):
    with pytest.raises(UsageError, match="expected lines such as git writes to a pre-push hook, got"):
        read_line(line, "fork")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A history `0 - 1 - 2` with `3` beside 2, and `island` beside all, tagged so; no branch but `work`, at 3."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "-q", "-b", "work")
    tree = git(root, "hash-object", "-w", "-t", "tree", "/dev/null").decode().strip()
    who = {f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for name, *parents in (("0",), ("1", "0"), ("2", "1"), ("3", "1"), ("island",)):
        told = [word for parent in parents for word in ("-p", f"refs/tags/{parent}")]
        commit = git(root, "commit-tree", tree, *told, "-m", name, environment=who).decode().strip()
        git(root, "tag", name, commit)
    git(root, "update-ref", "HEAD", "refs/tags/3")
    return root


WORK = Push("refs/heads/work", "3", "refs/heads/work", "", "origin")
MAIN = Push("refs/heads/main", "3", "refs/heads/main", "2", "origin")


@pytest.mark.parametrize(
    ("branches", "push", "base"),
    [
        ({"remotes/origin/main": "2"}, WORK, "1"),
        ({"remotes/origin/main": "2", "remotes/fork/main": "0"}, dataclasses.replace(WORK, remote="fork"), "1"),
        ({"remotes/fork/main": "0"}, dataclasses.replace(WORK, remote="fork"), "0"),
        ({"heads/main": "2"}, WORK, "1"),
        ({}, WORK, ""),
        ({"remotes/origin/main": "2"}, MAIN, "2"),  # by force: what the remote has goes
        ({"remotes/origin/main": "1"}, dataclasses.replace(MAIN, name="refs/heads/work"), "2"),
        ({"heads/main": "3"}, dataclasses.replace(MAIN, was=""), ""),
        ({"remotes/origin/main": "2"}, dataclasses.replace(WORK, commit="island"), ""),
        ({"remotes/origin/main": "2"}, dataclasses.replace(WORK, since="0"), "0"),
    ],
)
def test_the_base_of_what_is_pushed(repository, branches, push, base):
    for name in git(repository, "for-each-ref", "--format=%(refname)", "refs/remotes", "refs/heads/main").split():
        git(repository, "update-ref", "-d", name.decode())
    for name, tag in branches.items():
        git(repository, "update-ref", f"refs/{name}", f"refs/tags/{tag}")
    (judged,) = pushed(repository, [push], None)
    expected = git(repository, "rev-parse", f"refs/tags/{base}").decode().strip() if base else ""
    assert judged.base == expected


def test_a_commit_under_several_names_is_judged_once(repository):
    names = [dataclasses.replace(WORK, name=name) for name in ("refs/heads/a", "refs/tags/b")]
    assert len(list(pushed(repository, names, "0"))) == 1


def test_of_what_is_staged_the_last_commit_is_the_base(repository):
    assert staged(repository, None) == Submission(
        "what is staged", "", git(repository, "rev-parse", "refs/tags/3").decode().strip()
    )
