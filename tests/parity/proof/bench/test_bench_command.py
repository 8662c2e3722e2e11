"""`parity bench`: what it times when it is asked, and what it writes."""

import json

import pytest

from parity._ground.codes import AGREE
from parity.cli import NOT_CHECKED
from parity.cli import bench as command
from parity.cli.bench import bench_command
from parity.proof.bench import stored


def run(*arguments):
    return bench_command.main(list(arguments), standalone_mode=False)


def test_sizes_and_modes_are_written_and_drawn(tmp_path, capsys):
    assert run("losses.mae", "--sizes", "8", "--modes", "eager", "--report", str(tmp_path)) == AGREE
    content = json.loads((tmp_path / "bench.json").read_text())
    assert [(row["stack"], row["mode"], row["size"]) for row in content["sizes"]] == [
        ("torch", "eager", 8),
        ("tensorflow", "eager", 8),
    ]
    assert content["suite"] is None
    assert {"torch eager", "tensorflow eager"} <= content["environment"].keys()
    assert {path.name for path in tmp_path.iterdir()} == {"bench.json", "bench.png", "bench.svg"}
    assert "losses.mae" in capsys.readouterr().out


def test_a_mode_that_one_framework_has_leaves_out_the_other(tmp_path):
    assert run("losses.mae", "--sizes", "8", "--modes", "graph", "--report", str(tmp_path), "--no-pictures") == AGREE
    content = json.loads((tmp_path / "bench.json").read_text())
    assert [row["stack"] for row in content["sizes"]] == ["tensorflow"]
    assert {path.name for path in tmp_path.iterdir()} == {"bench.json"}


def test_what_a_mode_refuses_was_not_timed(monkeypatch):
    refused = stored.Refused("losses.mae", "torch", "eager", "losses.mae cannot be run")
    monkeypatch.setattr(command, "time_sizes", lambda *arguments: iter([refused]))
    assert run("losses.mae", "--sizes", "8") == NOT_CHECKED


@pytest.mark.parametrize("given", [(), ("--sizes", "16,32", "--modes", "graph")])
def test_a_revision_is_compared_at_the_sizes_asked_for(given, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "compare_with", lambda *arguments: asked.append(arguments[:5]) or ())
    assert run("losses.mae", "--against", "main", "--rounds", "2", *given) == AGREE
    sizes, modes = ((16, 32), ("graph",)) if given else ((64,), ())
    assert asked == [("main", ("losses.mae",), sizes, modes, 2)]
