"""`parity bench`: what it times when it is asked, what it writes, and what is read again."""

import json

import pytest

from parity._ground.codes import AGREE, NOT_CHECKED
from parity.cli import bench as command
from parity.proof.bench.sizes import Refused
from parity.proof.bench.stored import BenchError, Benchmark, environment_of, read_sizes, write_benchmark
from parity.stacks import load


def run(*arguments):
    return command.bench_command.main(["losses.mae", *arguments], standalone_mode=False)


@pytest.mark.parametrize(
    ("mode", "options", "stacks", "files"),
    [
        ("eager", (), ["torch", "tensorflow"], {"bench.json", "bench.png", "bench.svg"}),
        ("graph", ("--no-pictures",), ["tensorflow"], {"bench.json"}),  # torch has no such mode
    ],
)
def test_sizes_and_modes_are_written_and_drawn(mode, options, stacks, files, tmp_path, capsys):
    assert run("--sizes", "8", "--modes", mode, "--report", str(tmp_path), *options) == AGREE
    content = json.loads((tmp_path / "bench.json").read_text())
    assert [(row["stack"], row["mode"], row["size"]) for row in content["sizes"]] == [(s, mode, 8) for s in stacks]
    assert content["suite"] is None
    assert {f"{stack} {mode}" for stack in stacks} <= content["environment"].keys()
    assert {path.name for path in tmp_path.iterdir()} == files
    assert all(path.stat().st_size for path in tmp_path.iterdir())
    assert "losses.mae" in capsys.readouterr().out


def test_what_a_mode_refuses_was_not_timed(monkeypatch):
    refused = Refused("losses.mae", "torch", "eager", "losses.mae cannot be run")
    monkeypatch.setattr(command, "time_sizes", lambda *arguments: iter([refused]))
    assert run("--sizes", "8") == NOT_CHECKED


@pytest.mark.parametrize(
    ("given", "sizes", "modes"), [((), (64,), ()), (("--sizes", "16,32", "--modes", "graph"), (16, 32), ("graph",))]
)
def test_a_revision_is_compared_at_the_sizes_asked_for(given, sizes, modes, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "compare_with", lambda *arguments: asked.append(arguments[:5]) or ())
    assert run("--against", "main", "--rounds", "2", *given) == AGREE
    assert asked == [("main", ("losses.mae",), sizes, modes, 2)]


def test_what_was_timed_comes_back(timed, tmp_path):
    path, refused = tmp_path / "bench.json", Refused("a.b", "torch", "compiled", "no")
    write_benchmark(path, Benchmark({"numpy": "2"}, sizes=(timed,), refused=(refused,)))
    assert read_sizes(path) == (timed,)
    content = json.loads(path.read_text())
    assert (content["format"], content["environment"], content["refused"][0]["reason"]) == (1, {"numpy": "2"}, "no")


def test_every_mode_is_in_the_environment():
    found = environment_of(load(["tensorflow"], "eager") + load(["tensorflow"], "graph"))
    assert {"tensorflow eager", "tensorflow graph", "numpy", "platform"} <= found.keys()


@pytest.mark.parametrize("content", [None, "", "{}", '{"format": 0}', '{"format": 1, "sizes": [{}]}', "[]"])
def test_what_is_no_benchmark_is_refused(content, tmp_path):
    path = tmp_path / "bench.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BenchError, match=r"bench\.json: .*expected" if content is not None else "no such file"):
        read_sizes(path)
