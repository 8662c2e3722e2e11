from collections import Counter

import pytest

from parity.contracts.mirror import ROOT
from parity.proof.mutants.explained import EXPLAINED, explanation
from parity.proof.mutants.mutate import mutants_of

PHYSICS = ("losses", "optics", "scaling", "patches", "forward")


@pytest.fixture(scope="module")
def ids():
    """Of every mutant of the physics of both stacks."""
    files = [(package, name) for package in ("ptycho", "ptycho_torch") for name in PHYSICS]
    texts = [(*file, (ROOT / file[0] / f"{file[1]}.py").read_text(encoding="utf-8")) for file in files]
    return {mutant.id for text in texts for mutant in mutants_of(*text)}


def test_what_is_explained_is_a_mutant_of_the_sources_as_they_are(ids):
    assert {mutant for mutants in EXPLAINED.values() for mutant in mutants} <= ids


def test_a_mutant_has_one_explanation():
    assert not [mutant for mutant, times in Counter(m for ms in EXPLAINED.values() for m in ms).items() if times > 1]


def test_a_mutant_that_nobody_explained_has_no_explanation():
    assert explanation("no such mutant") == ""
