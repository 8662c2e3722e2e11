"""Files that are read: stored results, data sets, goldens, declarations."""

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from parity._ground.repository import ROOT
from tests.conditions.condition import Done, Place, condition
from tests.fuzzing.files import forged_set
from tests.stored import cases_of, held, store

MAE, POISSON = "losses.mae", "losses.poisson_nll"


def results(place: Place, change: Callable[[dict[str, Any]], object] = lambda content: None) -> Path:
    """Stored results of two contracts, changed."""
    path = place.folder / "results.json"
    store(path, [held(name, [*cases_of(name)]) for name in (MAE, POISSON)])
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    return path


def first(content: dict[str, Any]) -> dict[str, Any]:
    """The first measurement of the first contract."""
    found: dict[str, Any] = content["contracts"][MAE]["measurements"][0]
    return found


def lose(field: str, value: str) -> Callable[[dict[str, Any]], None]:
    """Take out the measurements with a value."""

    def take(content: dict[str, Any]) -> None:
        for contract in content["contracts"].values():
            contract["measurements"] = [m for m in contract["measurements"] if m[field] != value]

    return take


@condition("stored results lack a stack", code=3, says="expected measurements of losses.mae by torch, case even/0")
def results_without_a_stack(place: Place) -> Done:
    return place.parity("report", str(results(place, lose("stack", "torch"))))


@condition("stored results lack a precision", code=3, says="tensorflow in f32, mae: expected 3 measurements, got none")
def results_without_a_precision(place: Place) -> Done:
    return place.parity("table", str(results(place, lose("precision", "f32"))))


@condition("stored results lack a contract", code=3, says="expected results of losses.mae, which was asked, got none")
def results_without_a_contract(place: Place) -> Done:
    return place.parity("merge", str(results(place, lambda content: content["contracts"].pop(MAE))))


@condition("stored results do not say what was asked", code=3, says="asked: expected an object, got null")
def results_without_a_question(place: Place) -> Done:
    return place.parity("report", str(results(place, lambda content: content.update(asked=None))))


@condition("a stored ratio is negative", code=3, says="ratio: expected a number of at least 0, got -0.5")
def ratio_negative(place: Place) -> Done:
    return place.parity("report", str(results(place, lambda content: first(content).update(ratio=-0.5))))


@condition("a stored ratio contradicts its error", code=3, says="ratio: expected 0.5, error 1 in units of 2, got 0.25")
def ratio_of_another_error(place: Place) -> Done:
    return place.parity("report", str(results(place, lambda content: first(content).update(ratio=0.25))))


@condition("stored text would be obeyed by a terminal", code=3, says="expected text that can be printed")
def text_that_a_terminal_obeys(place: Place) -> Done:
    return place.parity("report", str(results(place, lambda content: content["environment"].update(torch="\x1b[2J"))))


@condition("stored results are nested a million deep", code=3, says="got JSON that is nested too deeply")
def results_nested_deeply(place: Place) -> Done:
    (place.folder / "results.json").write_text("[" * 10**6)
    return place.parity("report", "results.json")


@condition("a stored ratio has 400 digits", code=3, says="ratio: expected a number, got 9999")
def ratio_of_many_digits(place: Place) -> Done:
    return place.parity("report", str(results(place, lambda content: first(content).update(ratio=10**400 - 1))))


@condition("stored results are a gzip", code=3, says="got a file that is not in UTF-8, from byte 1 on")
def results_compressed(place: Place) -> Done:
    path = results(place)
    path.write_bytes(gzip.compress(path.read_bytes()))
    return place.parity("report", str(path))


@condition("stored results are a pipe", code=3, says="expected stored results, got a pipe")
def results_from_a_pipe(place: Place) -> Done:
    os.mkfifo(place.folder / "results.json")
    return place.parity("merge", "results.json")


@condition("stored results are a device", code=3, says="expected stored results, got a device")
def results_from_a_device(place: Place) -> Done:
    return place.parity("table", "/dev/zero")


@condition("a folder has brackets in its name", code=1, says="report: r[/b]/junit.xml")
def folder_with_brackets(place: Place) -> Done:
    path = place.folder / "results.json"
    store(path, [held(MAE, [*cases_of(MAE)], ratio=3.0)])
    return place.parity("report", str(path), "--report", "r[/b]")


@condition("a data set is a pipe", code=3, says="expected an .npz file, got a pipe")
def data_from_a_pipe(place: Place) -> Done:
    os.mkfifo(place.folder / "scan.npz")
    return place.parity("run", MAE, "--data", "scan.npz")


@condition("a data set is a link to nothing", code=3, says="expected an .npz file, got a link to nothing")
def data_from_a_link(place: Place) -> Done:
    (place.folder / "scan.npz").symlink_to("nothing")
    return place.parity("preflight", "--data", "scan.npz")


@condition("the header of an array claims more than there is", code=1, says="for float32 of shape (9, 8, 9), got 2304")
def data_under_a_header_that_lies(place: Place) -> Done:
    np.save(place.folder / "array.npy", np.ones((9, 8, 8), np.float32))
    lying = (place.folder / "array.npy").read_bytes().replace(b"(9, 8, 8)", b"(9, 8, 9)")
    with zipfile.ZipFile(place.folder / "scan.npz", "w") as archive:
        archive.writestr("diffraction.npy", lying)
    return place.parity("preflight", "--data", "scan.npz")


@condition("a golden's bounds are a million times wider, under new hashes", code=1, says="got wider by ×1e+06")
def golden_forged(place: Place) -> Done:
    forged_set(place.folder / "golden", 1e6)
    return place.parity("golden", "verify", "--fixtures", "golden")


@condition("such a golden is replayed", code=3, says="nothing can be held to that")
def golden_forged_and_replayed(place: Place) -> Done:
    forged_set(place.folder / "golden", 1e6)
    return place.parity("golden", "replay", "--fixtures", "golden")


@condition("a declaration is a pipe", code=2, says="parity.toml: expected a file that can be read, got: a pipe")
def declaration_from_a_pipe(place: Place) -> Done:
    os.mkfifo(place.folder / "parity.toml")
    return place.parity("bindings", "list", root=ROOT)
