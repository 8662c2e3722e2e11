"""A benchmark as a file."""

import json

import pytest

from parity.proof.bench.sizes import Refused
from parity.proof.bench.stored import BenchError, Benchmark, environment_of, read_sizes, write_benchmark
from parity.stacks import load


def test_what_was_timed_comes_back(timed, tmp_path):
    path = tmp_path / "bench.json"
    write_benchmark(
        path, Benchmark({"numpy": "2"}, sizes=(timed,), refused=(Refused("a.b", "torch", "compiled", "no"),))
    )
    assert read_sizes(path) == (timed,)
    content = json.loads(path.read_text())
    assert content["format"] == 1
    assert content["environment"] == {"numpy": "2"}
    assert content["refused"][0]["reason"] == "no"


def test_every_mode_is_in_the_environment():
    found = environment_of(load(["tensorflow"], "eager") + load(["tensorflow"], "graph"))
    assert {"tensorflow eager", "tensorflow graph", "numpy", "platform"} <= found.keys()


@pytest.mark.parametrize("content", ["", "{}", '{"format": 0}', '{"format": 1, "sizes": [{}]}', "[]"])
def test_what_is_no_benchmark_is_refused(content, tmp_path):
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(BenchError, match=r"bench\.json: (sizes\[0\]: )?expected"):
        read_sizes(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BenchError, match="no such file"):
        read_sizes(tmp_path / "bench.json")
