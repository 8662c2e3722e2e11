"""What the tests share."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from parity._ground.environment import prepare_environment
from parity._ground.repository import ROOT
from parity.stacks import load
from parity.stacks.base import Framework

pytest_plugins = ["pytester"]

prepare_environment()  # before a test module imports TensorFlow


@pytest.fixture(scope="session")
def stacks() -> tuple[Framework, ...]:
    """Both stacks, TensorFlow's without a trace: a function that is replaced takes effect at once, at no cost."""
    return load(mode="eager")


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
        self.git("checkout", "-q", "-f", "-B", "work", "main")
        self.git("clean", "-q", "-f", "-d")

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


@pytest.fixture(scope="session")
def _clone(tmp_path_factory):
    root = tmp_path_factory.mktemp("clone")
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


def _committed(clone):
    clone.git("init", "-q", "-b", "main")
    clone.git("config", "user.name", "someone")
    clone.git("config", "user.email", "someone@example.org")
    clone.commit("all of it")
    return clone


@pytest.fixture
def clone(_clone):
    """The clone, without what the test before made of it."""
    _clone.restore()
    return _clone


@pytest.fixture(scope="session")
def _stranger(tmp_path_factory):
    root = shutil.copytree(ROOT / "tests" / "stand_in", tmp_path_factory.mktemp("stranger") / "project")
    declared = root / "parity.toml"
    declared.write_text(declared.read_text().partition("\n[subjects.foreign-tf]")[0])
    return _committed(Clone(root, harness=ROOT))


@pytest.fixture
def stranger(_stranger):
    """A stranger's repository with the subject that starts sooner, without what the test before made of it."""
    _stranger.restore()
    return _stranger
