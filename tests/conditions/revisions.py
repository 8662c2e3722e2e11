"""Git, and what it holds."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conditions.condition import Done, Place, condition


def check(place: Place, cwd: Path, *options: str, **variables: str) -> Done:
    return place.parity("check", *options, cwd=cwd, environment=variables)


def in_a_stranger_s(place: Place, *commands: tuple[str, ...]) -> Path:
    """A stranger's repository, in which git has done this."""
    clone = place.stranger()
    for command in commands:
        clone.git(*command)
    return clone.root


@condition("the base is no commit", code=2, says="expected a commit, a branch or a tag, got 'no-such-branch'")
def base_unknown(place: Place) -> Done:
    return check(place, in_a_stranger_s(place), "--base", "no-such-branch")


@condition("the base is a file", 2, "expected a commit, a branch or a tag, got 'HEAD:README.md'")
def base_is_a_file(place: Place) -> Done:
    return check(place, in_a_stranger_s(place), "--base", "HEAD:README.md")


@condition("there is no git", 3, "git: expected it to be installed, got no such command")
def no_git(place: Place) -> Done:
    return check(place, in_a_stranger_s(place), PATH=str(place.folder))


@condition("git cannot be run", 3, "git: expected it to be installed, got")
def git_cannot_run(place: Place) -> Done:
    (place.folder / "git").write_text("")
    return check(place, in_a_stranger_s(place), PATH=str(place.folder))


@condition("the folder is in no repository", 3, "expected a git repository, got: fatal: not a git repository")
def no_repository(place: Place) -> Done:
    return check(place, place.folder, GIT_CEILING_DIRECTORIES=str(place.folder.parent))


@condition(
    "the repository is bare", 3, "expected a git repository, got: fatal: this operation must be run in a work tree"
)
def bare(place: Place) -> Done:
    root = in_a_stranger_s(place, ("clone", "-q", "--bare", ".", "../bare"))
    return check(place, root.parent / "bare")


@condition("the clone is shallow, without the base", 3, "a shallow clone has to be deepened")
def shallow(place: Place) -> Done:
    clone = place.stranger()
    clone.git("switch", "-q", "-c", "work")
    for _ in range(2):
        clone.commit()
    clone.git("switch", "-q", "main")
    clone.commit()
    place.process(["git", "clone", "-q", "--depth=1", "--no-single-branch", f"file://{clone.root}", "shallow"])
    place.process(["git", "checkout", "-q", "work"], cwd=place.folder / "shallow")
    return check(place, place.folder / "shallow")


@condition("no branch is checked out", 0, "nothing has changed")
def detached(place: Place) -> Done:
    return check(place, in_a_stranger_s(place, ("checkout", "-q", "--detach")))


@condition("the branch has no commit yet", 3, "expected a history in common with what is judged, got none")
def unborn(place: Place) -> Done:
    return check(place, in_a_stranger_s(place, ("checkout", "-q", "--orphan", "new")))


@condition("what is staged is to be the first commit, and is no Python", 3, "compared with nothing: all of it is new")
def first_commit(place: Place) -> Done:
    root = in_a_stranger_s(place, ("checkout", "-q", "--orphan", "new"))
    (root / "ptycho_torch" / "nn" / "losses.py").write_text("def (\n")
    in_place = place.process(["git", "add", "-A"], cwd=root)
    assert in_place.returncode == 0
    return check(place, root, "--staged")


@condition("a merge has left conflicts in the index", 3, "expected an index without conflicts, got README.md unmerged")
def unmerged(place: Place) -> Done:
    clone = place.stranger()
    for branch in ("one", "other"):
        clone.git("switch", "-q", "-c", branch, "main")
        clone.edit("README.md", "# A user", f"# {branch}")
        clone.commit()
    place.process(["git", "-c", "user.name=x", "-c", "user.email=x", "merge", "-q", "one"], cwd=clone.root)
    return check(place, clone.root, "--staged")


@condition("the variables of a hook name another repository", 3, "GIT_DIR names")
def another_git_dir(place: Place) -> Done:
    root = in_a_stranger_s(place, ("clone", "-q", ".", "../other"))
    return check(place, root, GIT_DIR=str(root.parent / "other" / ".git"))


@condition("the variables of a hook name this repository, and an index of its own", 0, "1 changed file since")
def variables_of_a_hook(place: Place) -> Done:
    clone = place.stranger()
    (clone.root / "NEW.md").write_text("# New\n")
    variables = {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/next-index"}
    for command in (["read-tree", "HEAD"], ["add", "NEW.md"]):
        place.process(["git", *command], cwd=clone.root, environment=variables)
    return check(place, clone.root, "--staged", **variables)


@condition("the folder is a working tree beside the repository's own", 0, "1 changed file since")
def worktree(place: Place) -> Done:
    root = in_a_stranger_s(place, ("worktree", "add", "-q", "../beside", "-b", "beside"))
    (root.parent / "beside" / "NEW.md").write_text("# New\n")
    place.process(["git", "add", "-A"], cwd=root.parent / "beside")
    return check(place, root.parent / "beside", "--staged")


@condition("the repository belongs to somebody else", 3, "detected dubious ownership")
def somebody_else_s(place: Place) -> Done:
    return check(place, in_a_stranger_s(place), GIT_TEST_ASSUME_DIFFERENT_OWNER="1")


@condition("parts of the repository are not checked out", 0, "1 changed file since")
def sparse(place: Place) -> Done:
    clone = place.stranger()
    clone.edit("README.md", "# A user", "# Some user")
    clone.git("add", "-A")
    clone.git("sparse-checkout", "set", "--no-cone", "/*", "!/ptycho_torch/nn/")
    return check(place, clone.root, "--staged")


def named_oddly(name: bytes) -> Callable[[Place], Done]:
    def arrange(place: Place) -> Done:
        root = os.fsencode(in_a_stranger_s(place))
        with open(os.path.join(root, name), "wb"):  # noqa: PTH118, PTH123 a name that no text is
            pass
        return check(place, Path(os.fsdecode(root)), PYTHONIOENCODING="utf-8")

    return arrange


@condition("a file has a line break in its name", 0, "1 changed file since")
def name_with_a_line_break(place: Place) -> Done:
    return named_oddly(b"a\nb.md")(place)


@condition("the working folder is no more", 3, "No such file or directory")
def folder_gone(place: Place) -> Done:
    line = f'mkdir gone && cd gone && rmdir ../gone && exec "{sys.executable}" -P -m parity check'
    return place.process(["bash", "-c", line])
