"""Results as a file: everything comes back, and what lacks something or cannot be is refused, by its name."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.contracts.declared import REGISTRY
from parity.judging.measurement import PAIR, Gain, Measurement
from parity.judging.omission import Omission, Omitted
from parity.judging.quantity import gradient_of, result_of
from parity.judging.run import ContractRun, NotChecked
from parity.judging.shards import Shard
from parity.judging.verdict import judge
from parity.runs import results
from parity.runs.results import FORMAT, ResultsError, environment, read_results, read_stored, write_results
from tests.stored import asked, cases_of, held, store

MAE = "losses.mae"
MEASUREMENTS = (
    Measurement(
        contract=MAE,
        case="odd/17",
        precision="f32",
        quantity=gradient_of("predicted"),
        stack="torch",
        ratio=(0.1 + 0.2) / 3e-7,
        index=(0, 3, 1, 2),
        got="1.5",
        expected="1.2",
        error=0.1 + 0.2,
        allowed=3e-7,
        gap=1e-17,
        epsilon=np.inf,
        elements=64,
        undecided=1,
        gain=Gain(-1e-30, np.inf),
        witness=Gain(5e-324, 0.1),
        shape=(1, 4, 2, 8),
    ),
    Measurement(MAE, "dark/0", "f64", result_of("mae"), "torch", fault="raised “Error”"),
    Measurement(
        MAE, "dark/0", "f64", gradient_of("predicted"), "torch", divergence=3.0000000000000004, fault="not admitted"
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / results.__name__


def written(path: Path) -> None:
    run = ContractRun(judge(MAE, MEASUREMENTS, REGISTRY[MAE].quota), MEASUREMENTS, seconds=0.12345)
    write_results(path, [run], {"python": "3"}, asked([run]))


def test_measurements_come_back_to_the_last_bit(path: Path) -> None:
    written(path)
    assert repr(read_results(path)) == repr({MAE: list(MEASUREMENTS)})


def test_seconds_and_environment_come_back(path: Path) -> None:
    written(path)
    stored = read_stored(path)
    assert stored.seconds == {MAE: 0.123}
    assert stored.environment == {"python": "3"}


def test_a_file_says_what_was_found_and_on_what(path: Path) -> None:
    written(path)
    content = json.loads(path.read_bytes(), parse_constant=pytest.fail)
    assert content["format"] == FORMAT
    assert content["environment"] == {"python": "3"}
    assert content["contracts"][MAE]["outcome"] == "disagree"
    assert content["contracts"][MAE]["counts"]["torch"]["∂/∂predicted"] == {"f32": 1, "f64": 1}


def test_what_a_stack_says_is_stored_without_what_a_terminal_obeys(path: Path) -> None:
    found = replace(MEASUREMENTS[1], fault="raised \x1b[2JError\nPASS\u202e\ud800")
    run = ContractRun(judge(MAE, [found], REGISTRY[MAE].quota), (found,), 1.0)
    write_results(path, [run], {}, asked([run]))
    assert read_results(path)[MAE][0].fault == "raised \\x1b[2JError\\nPASS\\u202e\\ud800"


ASKED = replace(asked([held(MAE, ["odd/17", "dark/0"])]), sources="1a2b", options=("--stack", "torch"))


def test_what_was_asked_and_what_was_not_checked_come_back(path: Path) -> None:
    part = replace(ASKED, shard=Shard(2, 3))
    write_results(path, [], {}, part, [NotChecked(MAE, "its process was killed")])
    stored = read_stored(path)
    assert stored.asked == part
    assert stored.not_checked == {MAE: "its process was killed"}


def test_what_is_not_the_whole_is_not_read_as_if_it_were(path: Path) -> None:
    write_results(path, [], {}, replace(ASKED, shard=Shard(2, 3), cases={}))
    assert refusal(path) == f"{path}: expected a whole run, got shard 2/3; parity merge unites them"
    write_results(path, [], {}, ASKED, [NotChecked(MAE, "its process was killed")])
    assert refusal(path) == f"{path}: expected all contracts checked, got {MAE}: its process was killed"


def test_the_environment_names_versions() -> None:
    assert {"ptycho-parity", "python", "platform", "numpy"} <= environment(()).keys()


def refusal(path: Path) -> str:
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "expected stored results, got an empty file"),
        (b"not json", "expected stored results, got Expecting value: line 1"),
        (b"\xff\xfe", "expected stored results, got a file that is not in UTF-8, from byte 0 on"),
        (b"\xef\xbb\xbf{}", "expected stored results, got Unexpected UTF-8 BOM"),
        (b"[" * 10**6, "expected stored results, got JSON that is nested too deeply"),
        (b'{"a": NaN}', "expected stored results, got NaN, which is no number in JSON"),
        (b'{"a": 1e999}', "expected stored results, got 1e999, a number that is too large"),
        (b'{"a": %s}' % (b"9" * 5000), "expected stored results, got Exceeds the limit"),
        (b'{"a": 1, "a": 1}', 'expected stored results, got the key "a" twice'),
        (b"[]", "expected stored results, got []"),
        (b"{}", f"expected stored results of format {FORMAT}, got null"),
        (b'{"format": 99}', f"expected stored results of format {FORMAT}, got 99"),
        (b'{"format": true}', f"expected stored results of format {FORMAT}, got true"),
        (b'{"format": %d}' % FORMAT, "expected the key environment, got not_bound, format"),
    ],
)
def test_a_file_that_holds_no_results(path: Path, content: bytes, sentence: str) -> None:
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: {sentence}")


Content = dict[str, Any]
POISSON = "losses.poisson_nll"


@pytest.fixture
def whole(tmp_path: Path) -> Content:
    """What a file holds of two contracts."""
    store(tmp_path / "whole", [held(name, [*cases_of(name)]) for name in (MAE, POISSON)])
    return json.loads((tmp_path / "whole").read_bytes())


def without(field: str, value: str) -> Callable[[Content], None]:
    """Take out the measurements of a contract with a value of a field."""

    def take(content: Content) -> None:
        contract = content["contracts"][POISSON]
        contract["measurements"] = [m for m in contract["measurements"] if m[field] != value]

    return take


def at(*keys: str | int, value: Any = None) -> Callable[[Content], None]:
    """Put another value there, or take it out."""

    def put(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        if value is None:
            del content[keys[-1]]
        else:
            content[keys[-1]] = value

    return put


def test_a_file_that_is_whole_is_read(whole: Content, path: Path) -> None:
    path.write_text(json.dumps(whole))
    assert read_results(path).keys() == {MAE, POISSON}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (without("stack", "torch"), f"expected measurements of {POISSON} by torch, case even/0, got none"),
        (without("stack", PAIR), f"{POISSON}: pair in f32, nll: expected 3 measurements, got none"),
        (without("precision", "f32"), f"{POISSON}: tensorflow in f32, nll: expected 3 measurements, got none"),
        (without("quantity", "∂/∂predicted"), f"{POISSON}: tensorflow in f32, ∂/∂predicted: expected 3 measurements"),
        (without("case", "even/0"), f"expected measurements of {POISSON} by tensorflow, case even/0, got none"),
        (at("contracts", POISSON), f"expected results of {POISSON}, which was asked, got none"),
        (at("contracts", POISSON, "measurements", 5), "expected 3 measurements, got 2"),
        (at("asked", "cases", MAE), f"expected contracts that were asked, got {MAE}"),
        (at("asked", "cases", MAE, 0), "case: expected"),
        (at("asked", "stacks", 0), "stack: expected pair, torch, got 'tensorflow'"),
        (at("asked", value={}), "asked: expected the key cases"),
        (at("asked", "stacks", value=[]), "asked: stacks: expected some, each once, got none"),
        (at("asked", "stacks", value=["pair"]), "asked: stacks: expected the name of a stack, got 'pair'"),
        (at("asked", "precisions", value=["f16"]), "asked: precisions: expected f32, f64, wide, got 'f16'"),
        (at("asked", "cases", "losses.mea", value=[]), "unknown contract 'losses.mea'; did you mean 'losses.mae'?"),
        (at("asked", "cases", MAE, 0, value="odd/" + "9" * 30), "expected stratum/seed, of a stratum of the contract"),
        (at("asked", "cases", MAE, 0, value="odder/1"), "expected stratum/seed, of a stratum of the contract"),
        (at("asked", "shard", value="4/3"), "asked.shard: shard: expected a number from 1"),
        (at("not_checked", "losses.mea", value="?"), "unknown contract 'losses.mea'"),
        (at("environment", "torch", value="\x1b[2J"), 'environment.torch: expected text that can be printed, got "\\'),
        (at("contracts", MAE, "seconds", value=-1), "seconds: expected a number of at least 0, got -1"),
        (at("contracts", MAE, "outcome", value="fine"), "outcome: expected one of agree, disagree"),
        (at("contracts", MAE, "counts", "torch", "mae", "f32", value=4), "torch in f32, mae: expected 4 measurements"),
    ],
)
def test_what_a_file_lacks_and_what_it_says_that_cannot_be(
    whole: Content, path: Path, damage: Callable[[Content], None], sentence: str
) -> None:
    damage(whole)
    path.write_text(json.dumps(whole))
    assert sentence in refusal(path)


NAN, INF = "nan", "inf"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("contract", "losses.huber", "contract: expected losses.poisson_nll, got 'losses.huber'"),
        ("case", "odd/99", "case: expected"),
        ("case", "odd/1", "expected odd/1 f32 nll tensorflow once, got it 2 times"),
        ("precision", "f16", "precision: expected f32, f64, got 'f16'"),
        ("precision", "wide", "precision: expected f32, f64, got 'wide'"),
        ("stack", "jax", "stack: expected pair, tensorflow, torch, got 'jax'"),
        ("quantity", "mae", "quantity: expected one of losses.poisson_nll, got mae"),
        ("quantity", "nll of model.Nll", "quantity: expected one of losses.poisson_nll, got nll of model.Nll"),
        ("quantity", "", "quantity: expected a law"),
        ("quantity", "∂/∂predicted", "shape: expected that of BCHW, got (2,)"),
        ("ratio", "much", 'ratio: expected a number, got "much"'),
        ("ratio", True, "ratio: expected a number, got true"),
        ("ratio", 10**400, "ratio: expected a number, got "),
        ("ratio", -0.5, "ratio: expected a number of at least 0, got -0.5"),
        ("ratio", NAN, "ratio: expected a number of at least 0, got nan"),
        ("ratio", 0.4, "ratio: expected 0.5, error 1 in units of 2, got 0.4"),
        ("ratio", INF, "ratio: expected 0.5, error 1 in units of 2, got inf"),
        ("error", -1, "error: expected a number of at least 0"),
        ("error", NAN, "error: expected a number of at least 0"),
        ("allowed", -2, "allowed: expected a number of at least 0"),
        ("allowed", 3, "ratio: expected 0.333333, error 1 in units of 3, got 0.5"),
        ("gap", -1, "gap: expected a number of at least 0"),
        ("epsilon", NAN, "epsilon: expected a number of at least 0, got nan"),
        ("epsilon", None, "epsilon: expected a number, got null"),
        ("got", "3", "error: expected 2, from 1 to 3, got 1"),
        ("got", "", "got: expected a number and the oracle's, got '' and '1'"),
        ("got", "\x9b2J", "got: expected text that can be printed"),
        ("expected", 1, "expected: expected text, got 1"),
        ("index", 3, "index: expected a list, got 3"),
        ("index", [2], "index: expected a place in shape (2,), got (2,)"),
        ("index", [], "index: expected a place in shape (2,), got ()"),
        ("index", [-1], "index[0]: expected a whole number of at least 0, got -1"),
        ("shape", [3], "elements: expected 3, as shape (3,) has, got 2"),
        ("shape", [2, 1], "shape: expected that of B, got (2, 1)"),
        ("elements", 1, "elements: expected 2, as shape (2,) has, got 1"),
        ("elements", 2.5, "elements: expected a whole number of at least 0, got 2.5"),
        ("undecided", 3, "undecided: expected at most the 2 elements, got 3"),
        ("gain", None, "gain: expected an object, got null"),
        ("gain", {"moment": 0, "weight": -1}, "gain.weight: expected a number of at least 0, got -1"),
        ("gain", {"moment": NAN, "weight": 1}, "gain.moment: expected a number, got nan"),
        ("witness", {"moment": 0}, "witness: expected the key weight, got moment"),
        ("fault", "", "fault: expected what made comparison impossible, got nothing"),
        ("fault", "raised", "ratio: expected none beside a fault, got 0.5"),
        ("divergence", NAN, "divergence: expected a size, got nan"),
        ("colour", "red", 'expected no key "colour", got one'),
    ],
)
def test_a_measurement_that_is_none(whole: Content, path: Path, field: str, value: Any, sentence: str) -> None:
    first = whole["contracts"][POISSON]["measurements"][0]
    first[field] = value
    path.write_text(json.dumps(whole))
    assert sentence in refusal(path)


def test_an_array_has_one_shape_in_a_case(whole: Content, path: Path) -> None:
    first = whole["contracts"][POISSON]["measurements"][0]
    first.update(shape=[1], elements=1, index=[0])
    path.write_text(json.dumps(whole))
    assert "case even/0: expected shape (1,), as tensorflow has in f32, got (2,)" in refusal(path)


def test_what_was_not_asked_of_a_stack_need_not_be_there(path: Path) -> None:
    run = held(MAE, [*cases_of(MAE)])
    own = tuple(m for m in run.measurements if m.stack == "torch" or (m.stack == "tensorflow" and m.case != "even/0"))
    outside = Omission(MAE, "tensorflow", Omitted.OUTSIDE, "even/0", why="frames are square")
    write_results(path, [replace(run, measurements=own, omissions=(outside,))], {}, asked([run]))
    stored = read_stored(path)
    assert stored.omissions == {MAE: (outside,)}
    odd = replace(outside, omitted=Omitted.NOT_JUDGED, why="some")
    write_results(path, [replace(run, measurements=own, omissions=(outside, odd))], {}, asked([run]))
    assert "omissions: expected how many of how many elements, got 'some'" in refusal(path)


def test_infinite_errors_come_back(path: Path) -> None:
    run = held(MAE, ["odd/1"])
    first = replace(run.measurements[0], ratio=math.inf, error=math.inf, got="inf")
    write_results(path, [replace(run, measurements=(first, *run.measurements[1:]))], {}, asked([run]))
    assert read_results(path)[MAE][0] == first
