"""Stored results and data files, damaged by chance: `python -m tests.fuzzing.files --seeds 10000` says what comes.

Each reader is to end with an exit code of 0 to 3, one sentence where that is not 0, no traceback, nothing that a
terminal obeys, in bounded time and memory; and never with 0 where what was read is not what was written.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from parity import cli
from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.repository import ROOT
from parity.cli.golden.options import FIXTURES
from parity.contracts.cases.datasets import read_dataset
from parity.gate.preflight.data import data_findings
from parity.goldens.folder import GoldenSet
from parity.goldens.manifest import MANIFEST, manifest_of
from parity.goldens.record import decode, encode
from parity.judging.shards import Shard
from parity.physics.weights import WeightsError
from parity.proof.score.stored import read_score
from parity.report.findings import read_explanations
from parity.runs.baseline import BASELINE, FrozenDisagreements, FrozenRow, Where, read_baseline, write_baseline
from parity.runs.results import write_results
from parity.runs.scope import sources
from parity.stacks.subjects import subjects_in
from parity.stacks.transplant import read_weights
from ptycho_exposures.groupedscan import GroupedScan, InMemoryWarning
from ptycho_exposures.npz import DataError
from tests.fuzzing import damage
from tests.stored import asked, cases_of, held, store

SUBJECTS = """
[subjects.mine]
framework = "torch"
package = "mine"
mirror = true
limit = 30
shapes = [[8, 8], [16, 16]]
path = ["."]
[subjects.mine.domain]
square = true
modes = [1]
"""
EXPLAINED = """
package = "mine 1"
folder = "here"
[[finding]]
title = "a"
contracts = ["losses.mae"]
subjects = ["mine"]
"""

LIMIT = 20
"""Seconds in which a reader is to end."""

MEMORY = 2**29
"""Bytes of memory that readers may take beyond what they begin with."""

RESULTS, SCORE, SCAN, WEIGHTS, FINDINGS = "results.json", "score.json", "scan.npz", "weights.npz", "findings.toml"
GOLDEN = "losses.mae/even-0"
MAE, POISSON = "losses.mae", "losses.poisson_nll"


@dataclass(frozen=True)
class Specimen:
    """A file that is whole, the ways to damage it, and who reads it: the reader gets the folder, and gives a code."""

    name: str
    file: str
    ways: tuple[damage.Damage, ...]
    read: Callable[[Path], int]
    sound: Callable[[bytes, bytes, int], str] = lambda before, after, code: ""
    """What is wrong with a code, beside the two contents; "" where nothing is."""


@dataclass(frozen=True)
class Outcome:
    """What became of one seed: `wrong` says what should not be."""

    seed: int
    specimen: str
    code: int | str
    seconds: float
    wrong: str = ""


def command(*arguments: str) -> int:
    """The exit code of the command, in this process."""
    try:
        cli.main(arguments)
    except SystemExit as ended:
        return int(str(ended.code))


def call(reader: Callable[[], object], *refusals: type[Exception]) -> int:
    """A reading function as if a command had called it."""
    try:
        reader()
    except UsageError as error:
        print(f"parity: {error}", file=sys.stderr)  # noqa: T201
        return cli.USAGE
    except (CheckNotMade, *refusals) as error:
        print(f"parity: {error}", file=sys.stderr)  # noqa: T201
        return cli.NOT_CHECKED
    return cli.AGREE


def all_there(before: bytes, after: bytes, code: int) -> str:
    """Of results that were judged, every measurement is there, and a failure is none the less."""
    if code not in (cli.AGREE, cli.DISAGREE):
        return ""
    kept, now = (measured(json.loads(content)) for content in (before, after))
    if kept != now:
        return f"judged, with other measurements: {[*(kept - now), *(now - kept)][:2]}"
    return "a failure has passed" if code == cli.AGREE else ""


def measured(content: Any) -> Counter[tuple[str, ...]]:
    """What is measured in results."""
    keys = ("contract", "case", "precision", "quantity", "stack")
    return Counter(
        tuple(m[key] for key in keys) for contract in content["contracts"].values() for m in contract["measurements"]
    )


def unchanged(before: bytes, after: bytes, code: int) -> str:
    """Nothing that is not as it was passes."""
    return "changed, and passes" if code == cli.AGREE and before != after else ""


def as_computed(before: bytes, after: bytes, code: int) -> str:
    """A golden that passes has the bounds and the values that it had."""
    if code == cli.AGREE:
        old, new = (decode(content, GOLDEN) for content in (before, after))
        for one, other in ((old.bounds, new.bounds), (old.oracle, new.oracle)):
            if one.keys() != other.keys() or not all(np.allclose(one[q], other[q], 1e-9, 0) for q in one):
                return "other bounds or values, and it passes"
    return ""


def grouped(path: Path) -> None:
    """Open a scan, and read a batch."""
    scan = GroupedScan(path)
    scan.read([0, len(scan) - 1])


TEXT = (damage.in_bytes, damage.in_encoding)
JSON = (damage.in_json, damage.in_json, damage.in_json, *TEXT)
TOML = (damage.in_lines, damage.in_lines, *TEXT)
ARRAYS = (damage.in_archive, damage.in_archive, damage.in_archive, *TEXT)


def specimens() -> tuple[Specimen, ...]:
    """Every kind of file that is read."""
    return (
        Specimen("report", RESULTS, JSON, lambda at: command("report", str(at / RESULTS)), all_there),
        Specimen("table", RESULTS, JSON, lambda at: command("table", str(at / RESULTS))),
        Specimen("merge", "1.json", JSON, lambda at: command("merge", str(at / "1.json"), str(at / "2.json"))),
        Specimen("baseline", BASELINE, TOML, lambda at: call(lambda: read_baseline(at / BASELINE))),
        Specimen("subjects", "parity.toml", TOML, lambda at: call(lambda: subjects_in(at))),
        Specimen("findings", FINDINGS, TOML, lambda at: call(lambda: read_explanations(at / FINDINGS))),
        Specimen("score", SCORE, JSON, lambda at: call(lambda: read_score(at / SCORE))),
        Specimen("manifest", f"golden/{MANIFEST}", JSON, verify, unchanged),
        Specimen("golden", f"golden/{GOLDEN}.npz", ARRAYS, verify, unchanged),
        Specimen("forged", f"golden/{GOLDEN}.npz", ARRAYS, verify_forged, as_computed),
        Specimen("preflight", SCAN, ARRAYS, lambda at: call(lambda: data_findings(at / SCAN))),
        Specimen("data", SCAN, ARRAYS, lambda at: call(lambda: read_dataset(at / SCAN))),
        Specimen("scan", SCAN, ARRAYS, lambda at: call(lambda: grouped(at / SCAN), DataError)),
        Specimen("weights", WEIGHTS, ARRAYS, lambda at: call(lambda: read_weights(at / WEIGHTS), WeightsError)),
    )


def verify(folder: Path) -> int:
    return command("golden", "verify", "--fixtures", str(folder / "golden"))


def verify_forged(folder: Path) -> int:
    """The same, once the hashes are made anew; a golden that cannot even be hashed is none."""
    path = folder / f"golden/{GOLDEN}.npz"
    if not path.is_file() or path.stat().st_size > 2**20:
        return verify(folder)
    if call(lambda: (folder / "golden" / MANIFEST).write_bytes(manifest_of({f"{GOLDEN}.npz": path.read_bytes()}))):
        return cli.NOT_CHECKED
    return verify(folder)


def whole(folder: Path) -> None:
    """Write every specimen."""
    runs = [held(name, [*cases_of(name)], ratio=3.0) for name in (MAE, POISSON)]
    store(folder / RESULTS, runs)
    for number in (1, 2):
        shard = Shard(number, 2)
        parts = [held(MAE, [case for case in cases_of(MAE, 5) if shard.has(MAE, case)])]
        plan = asked([held(MAE, [*cases_of(MAE, 5)])])
        part = {**{name: getattr(plan, name) for name in plan.__slots__}, "shard": shard, "sources": sources()}
        write_results(folder / f"{number}.json", parts, {"platform": "here"}, type(plan)(**part))
    where = Where(MAE, "mine", "f32", "mae")
    other = where._replace(quantity="∂/∂observed")
    rows = {where: FrozenRow("a cause", 1.0, 4.0), other: FrozenRow("", 2.0, 8.0, "why")}
    write_baseline(folder / BASELINE, FrozenDisagreements(3, ("f32", "f64"), rows))
    (folder / "parity.toml").write_text(SUBJECTS)
    (folder / FINDINGS).write_text(EXPLAINED)
    known = json.loads((ROOT / "docs/score.json").read_bytes())
    run = known["runs"][0]
    small = {**run, "contracts": [{**run["contracts"][0], "defects": run["contracts"][0]["defects"][:2]}]}
    (folder / SCORE).write_text(json.dumps({**known, "runs": [small]}))
    forged_set(folder / "golden", 1.0)
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "diffraction": np.sqrt(random.poisson(5.0, (9, 8, 8))).astype(np.float32),
        "probeGuess": np.ones((8, 8), np.complex64),
        "xcoords": np.arange(9.0) % 3,
        "ycoords": np.arange(9.0) // 3,
        "metadata": np.array('{"by": "hand"}'),
    }
    np.savez(folder / SCAN, **arrays)
    network = GoldenSet.read(ROOT / FIXTURES).golden("networks.autoencode@32/single-0").inputs
    np.savez(folder / WEIGHTS, **{name: array for name, array in network.items() if name != "images"})  # type: ignore[arg-type]


def forged_set(folder: Path, factor: float) -> None:
    """A set of one golden, its bounds so many times as wide, with the hashes that go with it."""
    golden = GoldenSet.read(ROOT / FIXTURES).golden(GOLDEN)
    bounds = {quantity: bound * factor for quantity, bound in golden.bounds.items()}
    files = {f"{GOLDEN}.npz": encode(replace(golden, bounds=bounds))}
    (folder / GOLDEN).parent.mkdir(parents=True)
    for name, content in {**files, MANIFEST: manifest_of(files)}.items():
        (folder / name).write_bytes(content)


def outcome(seed: int, clean: Path, kinds: tuple[Specimen, ...]) -> Outcome:
    """Damage a specimen as the seed says, have it read, and look at what was said."""
    random = Random(seed)
    specimen = kinds[seed % len(kinds)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "case"
        shutil.copytree(clean, folder)
        path = folder / specimen.file
        before = path.read_bytes()
        if random.random() < 0.05:
            damage.in_place_of(random, path)
            after = None
        else:
            after = random.choice(specimen.ways)(random, before)
            path.write_bytes(after)
        return judged(seed, specimen, folder, before, after if os.path.lexists(path) else b"")


def judged(seed: int, specimen: Specimen, folder: Path, before: bytes, after: bytes | None) -> Outcome:
    out, err, started, code = io.StringIO(), io.StringIO(), time.perf_counter(), None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            contextlib.chdir(folder),
            limited(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", InMemoryWarning)
            code = specimen.read(folder)
    except TimeoutError:
        return Outcome(seed, specimen.name, "hang", time.perf_counter() - started, "hang")
    except BaseException as error:
        said = "".join(traceback.format_exception(error)[-3:])
        return Outcome(seed, specimen.name, type(error).__name__, time.perf_counter() - started, said)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
    wrong = next(_faults(code, out.getvalue(), err.getvalue()), "")
    if grown > MEMORY:
        wrong = wrong or f"{grown:,} bytes of memory"
    if after is None:
        wrong = wrong or ("read what is no file" if code == cli.AGREE and specimen.name != "baseline" else "")
    else:
        wrong = wrong or specimen.sound(before, after, code)
    return Outcome(seed, specimen.name, code, time.perf_counter() - started, wrong)


def _faults(code: int, out: str, err: str) -> Iterator[str]:
    if code not in (cli.AGREE, cli.DISAGREE, cli.USAGE, cli.NOT_CHECKED):
        yield f"exit code {code}"
    for said in (out, err):
        if "Traceback" in said or "a fault of the harness" in said:
            yield said[-2000:]
        odd = [c for c in said if not c.isprintable() and c != "\n"]
        if odd:
            yield f"a character that a terminal may obey: {odd[0]!r}"
    lines = err.strip().splitlines()
    if len(lines) > 1 or (lines and not lines[0].startswith("parity: ")):
        yield f"not one sentence: {err[:500]!r}"
    if code and not (lines or out.strip()):
        yield f"exit code {code} without a word"


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise TimeoutError in a block that takes too long, even where it waits for a pipe."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(seeds: range) -> Iterator[Outcome]:
    """The outcome of each seed."""
    kinds = specimens()
    with tempfile.TemporaryDirectory() as place:
        clean = Path(place) / "clean"
        clean.mkdir()
        whole(clean)
        for seed in seeds:
            yield outcome(seed, clean, kinds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    codes: Counter[tuple[str, int | str]] = Counter()
    slowest, wrong = Outcome(-1, "", 0, 0.0), 0
    for one in tried(range(given.first, given.first + given.seeds)):
        codes[one.specimen, one.code] += 1
        slowest = max(slowest, one, key=lambda other: other.seconds)
        if one.wrong:
            wrong += 1
            print(f"seed {one.seed}, {one.specimen}, code {one.code}: {one.wrong}")  # noqa: T201
    table: Mapping[str, dict[int | str, int]] = {name: {} for name, _ in codes}
    for (name, code), number in sorted(codes.items(), key=str):
        table[name][code] = number
    for name, counts in table.items():
        print(f"{name:10}", ", ".join(f"{code}: {number}" for code, number in counts.items()))  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{given.seeds} seeds, {wrong} wrong; longest {slowest.seconds:.2f} s (seed {slowest.seed}); {peak:.0f} MiB")  # noqa: T201
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    os.environ.pop("COLUMNS", None)
    main()
