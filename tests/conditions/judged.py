"""What is judged is what is merged."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.clones import Clone
from tests.conditions.condition import Done, Place, condition

LOSSES = "ptycho_torch/losses.py"
NO_PYTHON = ("def mae(", "def mae((")
REPAIRED = (NO_PYTHON[1], NO_PYTHON[0])
DOCUMENTED = ("\n## ", "\nMore.\n\n## ")
NEW = "0" * 40


def broken_and_repaired(place: Place) -> Clone:
    """A checkout whose last commit is broken, with the repair in the working tree."""
    clone = place.checkout()
    clone.git("switch", "-q", "-c", "work")
    clone.edit(LOSSES, *NO_PYTHON)
    clone.commit()
    clone.edit(LOSSES, *REPAIRED)
    return clone


def commit_of(clone: Clone, revision: str = "HEAD") -> str:
    done = subprocess.run(["git", "rev-parse", revision], cwd=clone.root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def check(place: Place, clone: Clone, *options: str, told: str = "", **variables: str) -> Done:
    """`parity check` in a clone, which is told something on its standard input; the clone stays as it was."""
    before = state(clone)
    line = f'exec "{sys.executable}" -m parity check "$@"' + (f" <<'END'\n{told}\nEND" if told else "")
    done = place.process(
        ["bash", "-c", line, "parity", *options],
        root=clone.harness or clone.root,
        cwd=clone.root,
        environment=variables,
    )
    assert state(clone) == before
    assert list(Path(variables.get("TMPDIR", place.folder)).glob("parity-*")) == []
    return done


def state(clone: Clone) -> list[str]:
    """Refs, index and working tree."""
    asked = (("status", "--porcelain=v2"), ("for-each-ref",), ("ls-files", "--stage"), ("worktree", "list"))
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    return [
        subprocess.run(["git", *one], cwd=clone.root, env=quiet, capture_output=True, text=True, check=False).stdout
        for one in asked
    ]


def pushed(name: str, commit: str, was: str = NEW, onto: str = "") -> str:
    return f"{name} {commit} {onto or name} {was}"


@condition("the commit is broken, its repair lies in the working tree, and pre-commit pushes", 1, "is no Python")
def repaired_in_the_working_tree(place: Place) -> Done:
    clone = broken_and_repaired(place)
    return check(place, clone, PRE_COMMIT_TO_REF=commit_of(clone), PRE_COMMIT_REMOTE_NAME="origin")


@condition("the same, and git's own hook pushes", 1, "judged: ")
def repaired_and_told_by_git(place: Place) -> Done:
    clone = broken_and_repaired(place)
    return check(place, clone, "--pushed", "origin", told=pushed("refs/heads/work", commit_of(clone)))


@condition("the repair is not staged", 1, "is no Python")
def repaired_and_not_staged(place: Place) -> Done:
    clone = broken_and_repaired(place)
    return check(place, clone, "--staged", "--base", "main")


@condition("the working tree is broken, and the commit that is pushed is not", 0, "(documentation)")
def broken_in_the_working_tree(place: Place) -> Done:
    clone = place.checkout()
    clone.git("switch", "-q", "-c", "work")
    clone.edit("README.md", *DOCUMENTED)
    clone.commit()
    clone.edit(LOSSES, *NO_PYTHON)
    return check(place, clone, PRE_COMMIT_TO_REF=commit_of(clone))


@condition("the second of two refs that are pushed is broken", 1, "is no Python")
def second_ref_broken(place: Place) -> Done:
    clone = broken_and_repaired(place)
    told = "\n".join(pushed(f"refs/heads/{name}", commit_of(clone, name)) for name in ("main~0", "work"))
    return check(place, clone, "--pushed", "origin", "--base", "main", told=told)


@condition("the main branch is pushed to a remote that has nothing", 3, "compared with nothing: all of it is new")
def first_push(place: Place) -> Done:
    clone = place.stranger()
    clone.edit("ptycho_torch/nn/losses.py", "import torch\n", "import no_such_module\n")
    clone.commit()
    return check(place, clone, "--pushed", "origin", told=pushed("refs/heads/main", commit_of(clone)))


@condition("the main branch of the remote is put back by force to a commit that was broken", 1, "is no Python")
def put_back_by_force(place: Place) -> Done:
    clone = broken_and_repaired(place)
    broken = commit_of(clone)
    clone.commit()
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    told = pushed("refs/heads/work", broken, commit_of(clone), "refs/heads/main")
    return check(place, clone, "--pushed", "origin", told=told)


@condition("a ref is deleted", 0, "no commit is pushed")
def deleted(place: Place) -> Done:
    clone = place.stranger()
    return check(place, clone, "--pushed", "origin", told=pushed("(delete)", NEW, commit_of(clone), "refs/heads/x"))


@condition("a tag of a file is pushed", 3, "refs/tags/file: expected a commit")
def tag_of_a_file(place: Place) -> Done:
    clone = place.stranger()
    return check(place, clone, "--pushed", "origin", told=pushed("refs/tags/file", commit_of(clone, "HEAD:README.md")))


@condition("what is on the standard input is not what git writes to a hook", 2, "--pushed: expected lines such as git")
def told_something_else(place: Place) -> Done:
    return check(place, place.stranger(), "--pushed", "origin", told="refs/heads/main")


@condition("the commit that is pushed has no harness", 3, "holds no harness")
def without_harness(place: Place) -> Done:
    clone = place.checkout()
    clone.git("checkout", "-q", "--orphan", "pages")
    clone.git("rm", "-rqf", ".")
    clone.commit()
    bare = commit_of(clone)
    clone.git("checkout", "-q", "main")
    return check(place, clone, "--pushed", "origin", told=pushed("refs/heads/pages", bare, onto="refs/heads/main"))


@condition("a link in what is staged leads out of the repository", 3, "expected a link that stays in the repository")
def link_outwards(place: Place) -> Done:
    clone = place.stranger()
    (clone.root / "data").symlink_to("../elsewhere")
    clone.git("add", "-A")
    return check(place, clone, "--staged")


@condition("a submodule is not here", 3, "git submodule update --init")
def submodule_missing(place: Place) -> Done:
    clone = place.stranger()
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{commit_of(clone)},module")
    return check(place, clone, "--staged")


@condition("a submodule is here", 0, "1 changed file since")
def submodule_here(place: Place) -> Done:
    clone = place.stranger()
    module = place.folder / "module"
    subprocess.run(["git", "clone", "-q", str(clone.root), str(module)], check=True)
    clone.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(module), "tests/module")
    clone.commit()
    clone.edit("README.md", "# A user", "# Some user")
    clone.git("add", "README.md")
    return check(place, clone, "--staged")


@condition("a file of Git LFS is not here", 3, "git lfs fetch")
def large_file_missing(place: Place) -> Done:
    clone = place.stranger()
    (clone.root / ".gitattributes").write_text("*.bin filter=lfs\n")
    version = "version https://git-lfs.github.com/spec/v1"
    (clone.root / "data.bin").write_text(f"{version}\noid sha256:{'a' * 64}\nsize 3\n")
    clone.git("add", "-A")
    return check(place, clone, "--staged")


@condition("the environment of a subject is not in the commit, and git ignores it", 0, "(documentation)")
def ignored_environment(place: Place) -> Done:
    clone = place.stranger()
    (clone.root / ".gitignore").write_text("/.tools\n")
    clone.edit("parity.toml", 'framework = "torch"', 'framework = "torch"\npython = ".tools/python"')
    clone.commit()
    (clone.root / ".tools").mkdir()
    (clone.root / ".tools" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (clone.root / ".tools" / "python").chmod(0o755)
    clone.edit("README.md", "# A user", "# Some user")
    clone.git("add", "-A")
    return check(place, clone, "--staged")


@condition("the bindings of a subject lie in the working tree alone", 3, "got it in the working tree alone")
def bindings_not_staged(place: Place) -> Done:
    clone = place.stranger()
    clone.git("rm", "-q", "--cached", "parity_torch.py")
    return check(place, clone, "--staged")


@condition("another ptycho_exposures stands first on the path", 0, "nothing has changed")
def another_package(place: Place) -> Done:
    clone, other = place.checkout(), place.folder / "other" / "ptycho_exposures"
    other.mkdir(parents=True)
    for file in (clone.root / "ptycho_exposures").glob("*.py"):
        (other / file.name).write_text("raise SystemExit(1)\n")
    path = os.pathsep.join((str(other.parent), str(clone.root)))
    return place.process(
        [sys.executable, "-P", "-m", "parity", "check"], cwd=clone.root, environment={"PYTHONPATH": path}
    )


@condition("a stack is imported from elsewhere before the check begins", 3, "ptycho_torch: expected the one that")
def imported_from_elsewhere(place: Place) -> Done:
    clone, other = place.checkout(), place.folder / "other"
    (other / "ptycho_torch").mkdir(parents=True)
    (other / "ptycho_torch" / "__init__.py").touch()
    (other / "sitecustomize.py").write_text("import ptycho_torch\n")
    path = os.pathsep.join((str(other), str(clone.root)))
    return place.process([sys.executable, "-m", "parity", "check"], cwd=clone.root, environment={"PYTHONPATH": path})


@condition("a reason of blanks", 2, "--accept-weaker: expected something to be said, got ' '")
def blank_reason(place: Place) -> Done:
    return place.parity("check", "--accept-weaker", " ")


@condition("the check of what is staged is ended by a signal", 3, "interrupted; nothing was judged")
def ended_by_a_signal(place: Place) -> Done:
    clone, temporary = place.stranger(), place.folder / "temporary"
    temporary.mkdir()
    clone.edit("ptycho_torch/nn/losses.py", "error.mean()", "error.sum()")
    clone.git("add", "-A")
    process = subprocess.Popen(
        [sys.executable, "-m", "parity", "check", "--staged"],
        cwd=clone.root,
        env={**os.environ, "PYTHONPATH": str(clone.harness), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(temporary.glob("parity-judged-*/project/README.md")):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said = process.communicate()
    assert list(temporary.iterdir()) == []
    return subprocess.CompletedProcess(process.args, process.returncode, *said)
