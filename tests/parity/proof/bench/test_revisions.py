"""Two revisions, timed in turn; what stands for `parity bench` here takes no time."""

import os
import signal
import subprocess
import tempfile

import pytest

from parity.proof.bench.revisions import compare_with, exported
from parity.proof.bench.sizes import Timed, compared
from parity.proof.bench.stored import BenchError
from parity.proof.bench.tables.sizes import revisions_table
from parity.proof.bench.timing import Pace
from parity.report.terminal import plain

STAND_IN = """
import json, pathlib, sys
log = pathlib.Path({log!r})
log.write_text(log.read_text() + {name!r})
pace = {{"seconds": [9.0, {seconds}]}}
row = {{"contract": "losses.mae", "stack": "torch", "mode": "eager", "size": 64, "bare": pace, "harness": pace}}
folder = pathlib.Path(sys.argv[sys.argv.index("--report") + 1])
(folder / "bench.json").write_text(json.dumps({{"format": 1, "sizes": [row]}}))
"""
OLDER = "import sys; sys.exit('Error: No such option: --sizes')"


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary folders are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def repository(tmp_path):
    """A repository whose first commit costs 2 s and whose files 1 s; the log says which ran."""
    tree, log = tmp_path / "tree", tmp_path / "log"
    (tree / "parity").mkdir(parents=True)
    log.write_text("")

    def write(text):
        (tree / "parity" / "__main__.py").write_text(text)

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=tree, check=True, capture_output=True)

    git("init")
    for text in (OLDER, STAND_IN.format(log=str(log), name="A", seconds=2.0)):
        write(text)
        git("add", ".")
        git("commit", "-m", "one")
    write(STAND_IN.format(log=str(log), name="B", seconds=1.0))
    return tree


def test_the_two_are_timed_in_turn(repository, temporary):
    advanced = []
    (found,) = compare_with("HEAD", ["losses.mae"], (64,), ("eager",), 2, lambda: advanced.append(0), repository)
    assert (repository.parent / "log").read_text() == "ABAB"
    assert len(advanced) == 4
    assert (found.contract, found.stack, found.mode, found.size) == ("losses.mae", "torch", "eager", 64)
    assert (found.bare.of_medians, found.harness.low, found.harness.high) == (0.5, 0.5, 0.5)
    assert list(temporary.iterdir()) == []


def test_a_revision_with_an_older_command_line_cannot_be_benched(repository, temporary):
    with pytest.raises(BenchError, match=r"^HEAD~1 cannot be benched; its `parity bench` says: Error: No such option"):
        compare_with("HEAD~1", ["losses.mae"], (64,), (), here=repository)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("revision", "folder"), [("no-such", ""), ("--all", ""), ("", ""), ("HEAD", "..")])
def test_no_revision_or_no_repository(revision, folder, repository):
    with pytest.raises(BenchError, match=r"^against: expected a git revision"), exported(revision, repository / folder):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_nothing_is_left(number, repository, temporary):
    before = signal.getsignal(signal.SIGTERM)

    def interrupted():
        with exported("HEAD", repository) as folder:
            assert (folder / "parity" / "__main__.py").exists()
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(temporary.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_ratios_have_a_spread(timed):
    slower = Timed("losses.mae", "torch", "eager", 64, Pace((1.0, 0.006)), Pace((1.0, 0.06)))
    found = compared([timed, slower, slower], [timed, timed, slower])
    assert (found.bare.of_medians, found.bare.low, found.bare.high) == (2.0, 1.0, 2.0)
    assert "2.00 (1.00–2.00)" in plain(revisions_table([found]))
