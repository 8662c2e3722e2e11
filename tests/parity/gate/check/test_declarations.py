import pytest

from parity.contracts.declared import REGISTRY
from parity.contracts.mirror import ROOT
from parity.faults import CATALOGUE
from parity.gate.check.declarations import LISTS, NUMBERS, DeclarationsUnreadable, declared_at, declared_in, weakened


@pytest.fixture(scope="module")
def declared():
    return declared_in(ROOT)


def test_every_contract_is_declared_with_all_that_it_promises(declared):
    assert list(declared) == list(REGISTRY)
    mae = declared["losses.mae"]
    assert mae["gradients"] == ["predicted", "observed"]
    assert mae["strata"] == [stratum.name for stratum in REGISTRY["losses.mae"].strata]
    assert {name for name in CATALOGUE if name.startswith("losses.mae/")} == set(mae["defects"])


def test_nothing_is_weaker_than_itself(declared):
    assert list(weakened(declared, declared)) == []


@pytest.mark.parametrize("what", LISTS)
def test_whatever_is_gone_is_said(declared, what):
    name = next(name for name, contract in declared.items() if contract[what])
    item = declared[name][what][0]
    after = {**declared, name: {**declared[name], what: declared[name][what][1:]}}
    assert list(weakened(declared, after)) == [(name, f"the {LISTS[what]} '{item}' is gone")]
    assert list(weakened(after, declared)) == []


@pytest.mark.parametrize("what", NUMBERS)
def test_whatever_grew_is_said(declared, what):
    after = {**declared, "losses.mae": {**declared["losses.mae"], what: declared["losses.mae"][what] + 1}}
    ((name, said),) = weakened(declared, after)
    assert (name, said.startswith(NUMBERS[what])) == ("losses.mae", True)
    assert list(weakened(after, declared)) == []


def test_a_contract_that_is_gone_is_said(declared):
    after = {name: contract for name, contract in declared.items() if name != "losses.mae"}
    assert list(weakened(declared, after)) == [("losses.mae", "is no contract any more")]


def test_those_of_a_commit_are_read_from_its_own_files(declared):
    assert declared_at(ROOT, "HEAD").keys() == declared.keys()


def test_before_there_was_a_harness_nothing_was_promised(tmp_path):
    assert declared_at(tmp_path, "HEAD") == {}


def test_declarations_that_cannot_be_imported_are_no_pass(tmp_path):
    package = tmp_path / "parity" / "contracts"
    package.mkdir(parents=True)
    (tmp_path / "parity" / "__init__.py").touch()
    (package / "__init__.py").write_text("raise RuntimeError('half written')\n")
    with pytest.raises(DeclarationsUnreadable, match="RuntimeError: half written"):
        declared_in(tmp_path)
