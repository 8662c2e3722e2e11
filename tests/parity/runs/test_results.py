"""Results as a file: everything comes back, and what holds none is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.contracts.contract import Quota
from parity.judging.measurement import Gain, Measurement
from parity.judging.quantity import gradient_of, result_of
from parity.judging.run import ContractRun, NotChecked
from parity.judging.shards import Shard
from parity.judging.verdict import judge
from parity.runs import results
from parity.runs.results import FORMAT, ResultsError, environment, read_results, read_stored, write_results
from parity.runs.scope import Asked

MEASUREMENTS = (
    Measurement(
        contract="losses.mae",
        case="odd/17",
        precision="f32",
        quantity=gradient_of("predicted"),
        stack="torch",
        ratio=0.1 + 0.2,
        index=(0, 3, 1, 2),
        got="1.5",
        expected="1.25",
        error=5e-324,
        allowed=1.7976931348623157e308,
        gap=1e-17,
        epsilon=np.inf,
        elements=64,
        undecided=1,
        gain=Gain(-1e-30, np.inf),
        witness=Gain(np.nan, 0.1),
    ),
    Measurement(
        "losses.mae", "dark/0", "f64", result_of("mae"), "tensorflow", ratio=np.inf, got="nan", fault="raised “Error”"
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / results.__name__


def store(path: Path) -> None:
    run = ContractRun(judge("losses.mae", MEASUREMENTS, Quota()), MEASUREMENTS, seconds=0.12345)
    write_results(path, [run], {"python": "3"})


def test_measurements_come_back_to_the_last_bit(path: Path) -> None:
    store(path)
    assert repr(read_results(path)) == repr({"losses.mae": list(MEASUREMENTS)})


def test_seconds_and_environment_come_back(path: Path) -> None:
    store(path)
    stored = read_stored(path)
    assert stored.seconds == {"losses.mae": 0.123}
    assert stored.environment == {"python": "3"}


def test_a_file_says_what_was_found_and_on_what(path: Path) -> None:
    store(path)
    content = json.loads(path.read_bytes(), parse_constant=pytest.fail)
    assert content["format"] == FORMAT
    assert content["environment"] == {"python": "3"}
    assert content["contracts"]["losses.mae"]["outcome"] == "disagree"


ASKED = Asked({"losses.mae": ("odd/17", "dark/0"), "losses.x": ()}, ("f32",), "", "1a2b", ("--stack", "torch"))


def test_what_was_asked_and_what_was_not_checked_come_back(path: Path) -> None:
    part = replace(ASKED, shard=Shard(2, 3))
    write_results(path, [], {}, part, [NotChecked("losses.x", "its process was killed")])
    stored = read_stored(path)
    assert stored.asked == part
    assert stored.not_checked == {"losses.x": "its process was killed"}


def test_what_is_not_the_whole_is_not_read_as_if_it_were(path: Path) -> None:
    write_results(path, [], {}, replace(ASKED, shard=Shard(2, 3)))
    assert refusal(path) == f"{path}: expected a whole run, got shard 2/3; parity merge unites them"
    write_results(path, [], {}, ASKED, [NotChecked("losses.x", "its process was killed")])
    assert refusal(path) == f"{path}: expected all contracts checked, got losses.x: its process was killed"


def test_the_environment_names_versions() -> None:
    assert {"ptycho-parity", "python", "platform", "numpy"} <= environment(()).keys()


def refusal(path: Path) -> str:
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    return str(caught.value)


def test_another_format(path: Path) -> None:
    path.write_text('{"format": 99}')
    assert refusal(path) == f"{path}: expected results of format {FORMAT}, got 99"


WHOLE = b'{"format": 2, "environment": {}, "asked": null, "not_checked": {}, "contracts": {"losses.mae": %s}}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"3",
        b"{}",
        b'{"format": 2}',
        b'{"format": 2, "environment": {}, "asked": null, "not_checked": {}, "contracts": []}',
        b'{"format": 2, "environment": {}, "asked": null, "not_checked": {}}',
        WHOLE % b"{}",
        WHOLE % b'{"seconds": 1, "measurements": [{}]}',
        WHOLE % b'{"seconds": 1, "measurements": 3}',
        b'{"format": 2, "environment": {}, "asked": {}, "not_checked": {}, "contracts": {}}',
    ],
)
def test_a_file_that_holds_no_results(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: expected stored results, got ")


@pytest.mark.parametrize(("field", "value"), [("ratio", "much"), ("index", 3), ("gain", None), ("colour", "red")])
def test_a_measurement_that_is_none(path: Path, field: str, value: Any) -> None:
    store(path)
    content = json.loads(path.read_bytes())
    content["contracts"]["losses.mae"]["measurements"][0][field] = value
    path.write_text(json.dumps(content))
    assert refusal(path).startswith(f"{path}: expected stored results, got ")
