import io
import json
import runpy
import zipfile
from pathlib import Path

import numpy as np
import pytest

from parity.goldens.errors import GoldenError
from parity.goldens.npz import digest, unpacked
from parity.goldens.record import decode, encode
from parity.judging.quantity import gradient_of, result_of
from parity.physics.precision import FLOAT64

golden = runpy.run_path(str(Path(__file__).with_name("factory.py")))["golden"]

NAME = "losses.mae/even-0"
OF_EVERY_KIND = {
    "float32": np.array([[1.5, -0.0], [np.inf, np.nan]], np.float32),
    "complex64": np.array([1 + 2j, -3j], np.complex64),
    "float64": np.array(1e-300),
    "complex128": np.array([[[1e-300 + 1j]]]),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "bool": np.array([True, False]),
    "str": np.array(["ε", "", "𝄞"]),
    "uint16": np.array(range(6), np.uint16).reshape(2, 3),
    "empty": np.zeros((0, 3), np.float32),
    "single": np.array(7, np.int8),
}


def packed(arrays, compression=zipfile.ZIP_STORED):
    """An .npz of bytes by name of the file within."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in arrays.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def with_array(name, array):
    """A golden's bytes with one array put in, or left out where it is None."""
    arrays = {**golden().arrays(), name: array}
    return packed({f"{key}.npy": npy(value) for key, value in arrays.items() if value is not None})


def refusal(content, name=NAME):
    with pytest.raises(GoldenError) as caught:
        decode(content, name)
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    message.encode()
    return message


@pytest.mark.parametrize("kind", OF_EVERY_KIND)
def test_every_kind_of_array_comes_back_bit_by_bit(kind):
    array = OF_EVERY_KIND[kind]
    again = decode(encode(golden(inputs={"x": array})), NAME).inputs["x"]
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert again.flags.writeable  # else PyTorch warns of it


def test_a_golden_comes_back_as_it_was():
    one = golden(precision=FLOAT64)
    again = decode(encode(one), f"{NAME}.f64")
    assert (again.name, again.case, again.precision) == (one.name, "even/0", FLOAT64)
    assert (again.proof, again.provenance) == (one.proof, one.provenance)
    assert [*again.outputs] == ["torch"]
    assert {key: digest(a) for key, a in again.arrays().items()} == {key: digest(a) for key, a in one.arrays().items()}
    assert {*again.truth} == {result_of("mae"), gradient_of("field")}


def test_bytes_depend_on_the_arrays_alone():
    one = golden()
    reordered = {part: dict(reversed(getattr(one, part).items())) for part in ("inputs", "oracle", "bounds", "outputs")}
    assert encode(golden(**reordered)) == encode(one)
    square = np.arange(12.0).reshape(3, 4)
    content = encode(golden(inputs={"x": square}))
    for same in (
        square.astype(">f8"),
        np.asfortranarray(square),
        np.repeat(square, 2, axis=1)[:, ::2],
        square[::-1][::-1],
    ):
        assert encode(golden(inputs={"x": same})) == content


def test_bytes_do_not_depend_on_when_they_are_written(monkeypatch):
    content = encode(golden())
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert encode(golden()) == content


def test_everyone_can_open_the_bytes():
    with np.load(io.BytesIO(encode(golden())), allow_pickle=False) as opened:
        assert {*opened.files} == {*golden().arrays()}
        for name, array in golden().arrays().items():
            assert digest(opened[name]) == digest(array)


@pytest.mark.parametrize("kind", OF_EVERY_KIND)
def test_a_digest_survives_another_container(kind):
    array = OF_EVERY_KIND[kind]
    compressed, plain = io.BytesIO(), io.BytesIO()
    np.savez_compressed(compressed, x=array)
    np.save(plain, np.asfortranarray(array).astype(array.dtype.newbyteorder(">")).reshape(array.shape))
    compressed.seek(0), plain.seek(0)
    assert digest(np.load(compressed)["x"]) == digest(np.load(plain)) == digest(array)


def test_a_digest_depends_on_dtype_shape_and_every_bit():
    array = np.array([1.0, 2.0, 0.0, 0.0])
    others = [array.view(np.int64), array.reshape(2, 2), array.reshape(4, 1), array * [1, 1, 1, -1], array[:3]]
    assert len({digest(other) for other in (array, *others)}) == 1 + len(others)


def test_pickles_are_refused_and_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    pickled = npy(np.array([Bomb()], object), allow_pickle=True)
    assert "allow_pickle=False" in refusal(packed({"inputs/x.npy": pickled}))
    assert not (tmp_path / "ran").exists()


def test_compressed_goldens_are_refused():
    content = packed({f"{key}.npy": npy(value) for key, value in golden().arrays().items()}, zipfile.ZIP_DEFLATED)
    assert "compressed" in refusal(content)


def test_a_truncated_golden_is_refused_wherever_it_ends():
    content = encode(golden())
    for end in range(0, len(content), 7):
        refusal(content[:end])
    refusal(content[:-1])


def test_damage_raises_nothing_but_a_refusal():
    content = encode(golden())
    rng = np.random.default_rng(1)
    for _ in range(2000):
        damaged = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        try:
            decode(bytes(damaged), NAME)
        except GoldenError as error:
            str(error).encode()


def test_headers_of_other_forms_are_refused():
    plain = npy(np.arange(3.0))
    for stored in (
        npy(np.asfortranarray(np.ones((2, 2)))),
        npy(np.arange(3.0, dtype=">f8")),
        npy(np.zeros(2, [("a", "f4")])),
        npy(np.arange(3.0), version=(2, 0)),
        plain + b"x",
        plain[:-1],
        b"",
        plain.replace(b"(3,)", b"(4,)"),
        plain.replace(b"(3,)", b"3   "),
        plain.replace(b"(3,)", b"(3 3"),
        plain.replace(b"<f8", b"<V8"),
        plain.replace(b"'<f8'", b"'\\qf8"),
        plain.replace(b" False", b"1and 0"),
    ):
        refusal(packed({"inputs/x.npy": stored}))


def test_arrays_stored_twice_are_refused():
    buffer = io.BytesIO(encode(golden()))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("inputs/index.npy", npy(np.arange(3)))
    assert "twice" in refusal(buffer.getvalue())


@pytest.mark.parametrize(
    ("array", "value", "words"),
    [
        ("case", None, "case"),
        ("proof", None, "proof"),
        ("provenance", None, "provenance"),
        ("oracle/value/mae", None, "a bound for each"),
        ("bounds/value/mae", None, "a bound for each"),
        ("bounds/value/mae", np.array([1e-6]), "shape ()"),
        ("bounds/value/mae", np.array(-1e-6), "none negative"),
        ("bounds/value/mae", np.array(np.nan), "none negative"),
        ("bounds/value/mae", np.array(1e-6, np.float32), "float64"),
        ("oracle/value/mae", np.array(1.0, np.float32), "float64"),
        ("torch/value/mae", np.ones(2, np.float32), "shape (2,), expected ()"),
        ("torch/value/mae", np.array(1.0), "returned float64, expected float32"),
        ("torch/value/mae", np.array(np.nan, np.float32), "returned NaN"),
        ("torch/value/mae", np.array(2.0, np.float32), "times the bound away"),
        ("tensorflow/gradient/field", np.ones(3, np.complex64), "expected mae, ∂/∂field, got ∂/∂field"),
        ("torch/value/psnr", np.ones(2), "expected mae, ∂/∂field, got mae, psnr"),
        ("oracle/mae", np.array(1.0), "value/… or gradient/…"),
        ("oracle/value/∂/∂field", np.ones(3), "value/… or gradient/…"),
        ("oracle/value/", np.ones(3), "value/… or gradient/…"),
        ("inputs/", np.ones(3), "arrays of a golden"),
        ("notes", np.ones(3), "arrays of a golden"),
        ("Torch/value/mae", np.array(1.0), "arrays of a golden"),
        ("jax/value/mae", np.array(1.0), "jax, mae: expected what a stack returns within its bounds"),
        ("case", np.array(1.0), "a text"),
        ("case", np.array(["{}"]), "a text"),
        ("case", np.array("{"), "JSON"),
        ("case", np.array("[]"), "an object"),
        ("case", np.array('{"format": 1}'), "format, contract"),
        ("case", np.array('{"format": NaN}'), "JSON"),
        ("provenance", np.array("[" * 100_000), "JSON"),
        ("provenance", np.array('{"a":' * 900 + "1" + "}" * 900), "JSON"),
        ("provenance", np.array(f'{{"a": {"9" * 5000}}}'), "JSON"),
        ("provenance", np.array('{"a": "\ud800"}'), "JSON"),
        ("provenance", np.array('{"a": 1, "a": 1}'), "each once"),
        ("provenance", np.array('{"b": 1, "a": 1}'), "sorted keys"),
        ("provenance", np.array('{"a":1}'), "JSON"),
        ("proof", np.array('{"conjugate": "much"}'), "a number"),
        ("proof", np.array('{"conjugate": true}'), "a number"),
        ("proof", np.array('{"conjugate": NaN}'), "JSON"),
        ("proof", np.array('{"conjugate": 1e999}'), "JSON"),
    ],
)
def test_what_cannot_be_judged_is_refused(array, value, words):
    assert words in refusal(with_array(array, value))


@pytest.mark.parametrize(
    ("key", "value"), [("format", 2), ("seed", True), ("precision", "f16"), ("contract", "a\x1b[2Jb")]
)
def test_other_cases_are_refused(key, value):
    case = {**json.loads(str(golden().arrays()["case"])), key: value}
    text = json.dumps(case, sort_keys=True, ensure_ascii=False)
    assert "\x1b" not in refusal(with_array("case", np.array(text)))


def test_a_golden_under_another_name_is_refused():
    assert refusal(encode(golden()), "losses.mae/even-1") == (
        "losses.mae/even-1: expected the golden of that name, got losses.mae/even-0"
    )


def test_no_inputs_are_refused():
    assert "inputs" in refusal(encode(golden(inputs={})))


def test_what_is_no_archive_is_refused():
    for content in (b"", b"PK", b"\0" * 100, npy(np.ones(3)), packed({"readme.txt": b"hello"})):
        with pytest.raises(GoldenError, match=r"^x: expected "):
            unpacked(content, "x")
