from collections import Counter

import pytest

from parity.contracts.mirror import ROOT
from parity.proof.mutants.explained import EXPLAINED, explanation
from parity.proof.mutants.mutate import mutants_of
from parity.proof.mutants.questions import FILES


@pytest.fixture(scope="module")
def ids():
    """Of every mutant of the files that are mutated."""
    paths = [ROOT / file for file in FILES]
    return {m.id for p in paths for m in mutants_of(p.parent.name, p.stem, p.read_text(encoding="utf-8"))}


def test_what_is_explained_is_a_mutant_of_the_sources_as_they_are(ids):
    assert {mutant for mutants in EXPLAINED.values() for mutant in mutants} <= ids


def test_a_mutant_has_one_explanation():
    assert not [mutant for mutant, times in Counter(m for ms in EXPLAINED.values() for m in ms).items() if times > 1]


def test_a_mutant_that_nobody_explained_has_no_explanation():
    assert explanation("no such mutant") == ""
