"""Repositories with one commit each, made of files of this checkout, in which tests change what they like."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from parity._ground.repository import ROOT


@dataclass(frozen=True)
class Clone:
    """A repository with files of the checkout as its one commit, on a branch beside main; who checks it is `harness`,
    itself unless it says otherwise."""

    root: Path
    harness: Path | None = None

    def git(self, *arguments):
        subprocess.run(
            ["git", "-c", "commit.gpgsign=false", *arguments], cwd=self.root, check=True, capture_output=True
        )

    def edit(self, file, old, new):
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self, message="why"):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def restore(self):
        (self.root / ".git" / "index").unlink(missing_ok=True)  # with what git was told of its files
        self.git("checkout", "-q", "-f", "-B", "work", "main")
        self.git("clean", "-q", "-f", "-f", "-d", "-x")

    def check(self, *arguments, stdout=subprocess.PIPE, **environment):
        """`parity check` of the branch; its exit code, output and messages."""
        return self.python("parity", "check", "--base", "main", *arguments, stdout=stdout, **environment)

    def python(self, module, *arguments, stdout=subprocess.PIPE, **environment):
        """A module as a process of its own, from the harness's own files; its exit code, output and messages."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env={
                **os.environ,
                "PYTHONPATH": str(self.harness or self.root),
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=600,
            check=False,
        )

    def verdict(self, *arguments):
        """The exit code and what the JSON form says."""
        done = self.check("--format", "json", *arguments)
        return done.returncode, json.loads(done.stdout)


def copied_checkout(root: Path) -> Clone:
    """This checkout, in an empty folder, with what is not committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes((ROOT / name).read_bytes())
    return _committed(Clone(root))


def copied_stranger(root: Path) -> Clone:
    """The stranger's project with the subject that starts sooner, in a folder that is yet to be made."""
    shutil.copytree(ROOT / "tests" / "stand_in", root)
    declared = root / "parity.toml"
    declared.write_text(declared.read_text().partition("\n[subjects.foreign-tf]")[0])
    return _committed(Clone(root, harness=ROOT))


def _committed(clone: Clone) -> Clone:
    clone.git("init", "-q", "-b", "main")
    clone.git("config", "user.name", "someone")
    clone.git("config", "user.email", "someone@example.org")
    clone.commit("all of it")
    return clone
