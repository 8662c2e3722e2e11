"""Some hundred damaged files; `python -m tests.fuzzing.files` tries as many as you like."""

import tempfile
from pathlib import Path

import pytest

from tests.fuzzing.files import specimens, tried, whole

SEEDS = 560
"""Forty of each kind of file."""


@pytest.mark.parametrize("first", range(0, SEEDS, 80))
def test_whatever_becomes_of_a_file_the_reader_says_so_in_one_sentence(first: int) -> None:
    assert [one for one in tried(range(first, first + 80)) if one.wrong] == []


def test_what_is_whole_is_read() -> None:
    with tempfile.TemporaryDirectory() as place:
        whole(Path(place))
        codes = {one.name: one.read(Path(place)) for one in specimens() if one.name != "forged"}
    assert codes == {**dict.fromkeys(codes, 0), "report": 1}
