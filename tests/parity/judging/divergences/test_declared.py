"""Entries are read from the file that declares the subjects, and whatever is wrong is said with its key."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from parity._ground.errors import CheckNotMade, UsageError
from parity._ground.repository import ROOT
from parity.contracts.declared import REGISTRY
from parity.judging.divergences import ConstantTerm, Divergence, Gauge, KnownTerm, PositiveFactor, Reduction, SubDomain
from parity.judging.divergences.declared import KINDS, read_divergences
from parity.judging.divergences.factors import To
from parity.stacks import declaring

SUBJECT = '[{table}subjects.mine]\nframework = "torch"\npackage = "mine"\nmirror = true\n'
LEAST = {
    "contract": '"losses.mae"',
    "stack": '"mine"',
    "kind": '"gauge"',
    "low": "2",
    "high": "inf",
    "reason": '"users rely on it"',
    "expires": "2027-06-30",
}
EXPECTED = """
def term(predicted, observed): return observed
def lit(inputs): return inputs["observed"] > 0
def fails(predicted, observed): raise RuntimeError("no light")
NUMBER = 3
"""


@pytest.fixture
def repository(tmp_path) -> Path:
    (tmp_path / "expected.py").write_text(EXPECTED)
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    return tmp_path


def read(folder: Path, entry: dict[str, str], *, file: str = "parity.toml", table: str = "") -> tuple[Divergence, ...]:
    body = "\n".join(f"{key} = {value}" for key, value in entry.items())
    (folder / file).write_text(f"{SUBJECT.format(table=table)}[[{table}divergences]]\n{body}\n", encoding="utf-8")
    found = declaring(folder)
    assert found
    return read_divergences(*found)


def test_this_repository_accepts_nothing_today():
    found = declaring(ROOT)
    assert found
    assert found[0].file == ROOT / "pyproject.toml"
    assert read_divergences(*found) == ()


@pytest.mark.parametrize(("file", "table"), [("parity.toml", ""), ("pyproject.toml", "tool.parity.")])
def test_an_entry_is_read_from_either_file(repository, file, table):
    more = {"quantities": '["mae", "∂/∂observed"]', "strata": '["dark"]', "names": '["losses.mae"]', "breaks": '["f"]'}
    assert read(repository, LEAST | more, file=file, table=table) == (
        Divergence(
            contract="losses.mae",
            stack="mine",
            kind=Gauge(),
            low=2.0,
            high=np.inf,
            reason="users rely on it",
            expires=date(2027, 6, 30),
            quantities=("mae", "∂/∂observed"),
            strata=("dark",),
            names=("losses.mae",),
            breaks=("f",),
        ),
    )


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"kind": '"constant term"'}, ConstantTerm()),
        ({"kind": '"constant term"', "per": '"observed"'}, ConstantTerm("observed")),
        ({"kind": '"positive factor"'}, PositiveFactor()),
        (
            {"kind": '"reduction"', "argument": '"observed"', "axes": '"HW"', "to": '"sum"'},
            Reduction("observed", "HW", To.SUM),
        ),
    ],
)
def test_a_kind_has_fields_of_its_own(repository, keys, kind):
    (entry,) = read(repository, LEAST | keys)
    assert entry.kind == kind


def test_a_function_is_that_of_a_file_beside_the_declaration(repository):
    (entry,) = read(repository, LEAST | {"kind": '"known term"', "term": '"expected.py:term"'})
    assert isinstance(entry.kind, KnownTerm)
    assert (entry.kind.term(predicted=1, observed=2), entry.kind.vjp, entry.kind.words) == (2, None, "plus term")
    (entry,) = read(repository, LEAST | {"kind": '"sub-domain"', "where": '"expected.py:lit"'})
    assert isinstance(entry.kind, SubDomain)
    assert entry.kind.where({"observed": np.ones(1)}).all()
    said = {"another formula": "by the formula term", "a rule of its own": "by a rule of its own, term"}
    for word, words in said.items():
        (entry,) = read(repository, LEAST | {"kind": f'"{word}"', "oracle": '"expected.py:term"'})
        assert (entry.kind.words, entry.kind.faults(REGISTRY["losses.mae"])) == (words, ())


def test_what_a_function_raises_is_said_of_it(repository):
    (entry,) = read(repository, LEAST | {"kind": '"known term"', "term": '"expected.py:fails"'})
    assert isinstance(entry.kind, KnownTerm)
    with pytest.raises(CheckNotMade, match=r"^expected\.py:fails: raised RuntimeError: no light$"):
        entry.kind.term(predicted=1, observed=2)


TERM = {"kind": '"known term"'}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"reason": '" "'}, ".reason: expected why the difference is accepted, in words of yours, got none"),
        ({"reason": None}, ": expected to find the key 'reason', got only contract, stack, kind, low, high, expires"),
        ({"kind": None}, ": expected to find the key 'kind', got only contract, stack, low, high, reason, expires"),
        ({"kind": '"guage"'}, f".kind: expected {', '.join(map(repr, list(KINDS)[:-1]))} or "),
        ({"expires": '"2027-06-30"'}, ".expires: expected a date, such as 2027-06-30, got '2027-06-30'"),
        ({"expires": "2027-06-30T10:00:00"}, ".expires: expected a date, such as 2027-06-30, got "),
        ({"low": '"0"'}, ".low: expected a number, got '0'"),
        ({"high": "nan"}, ".high: expected a number, got NaN"),
        ({"high": "true"}, ".high: expected a number, got true"),
        ({"strata": '"dark"'}, ".strata: expected a list of texts, got 'dark'"),
        ({"strata": "[1]"}, ".strata[0]: expected a word or more, got 1"),
        ({"per": '"observed"'}, ": unknown key 'per'; there are: "),
        ({"kind": '"reduction"', "argument": '"a"'}, ": expected to find the key 'axes', got only "),
        (
            {"kind": '"reduction"', "argument": '"a"', "axes": '"H"', "to": '"max"'},
            ".to: expected 'mean' or 'sum', got 'max'",
        ),
        (TERM | {"term": '"term"'}, ".term: expected a function as 'FILE.py:FUNCTION', got 'term'"),
        (TERM | {"term": '"absent.py:term"'}, ".term: expected a function of a file, got 'absent.py:term', and "),
        (TERM | {"term": '"expected.py:trem"'}, ".term: unknown function 'trem' of expected.py; did you mean 'term'?"),
        (TERM | {"term": '"expected.py:NUMBER"'}, ".term: unknown function 'NUMBER' of expected.py; there are: "),
        (TERM | {"term": '"broken.py:term"'}, ".term: expected Python that can be loaded in "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(repository, keys, said):
    entry = {key: value for key, value in (LEAST | keys).items() if value is not None}
    with pytest.raises(UsageError) as raised:
        read(repository, entry)
    assert str(raised.value).startswith(f"{repository / 'parity.toml'}: divergences[0]{said}")


def test_divergences_are_of_declared_subjects(repository):
    (repository / "parity.toml").write_text('[[divergences]]\ncontract = "losses.mae"\n')
    with pytest.raises(UsageError, match=r": divergences: expected subjects beside them, .* got none$"):
        declaring(repository)
