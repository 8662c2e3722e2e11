"""The help texts of the command: each of them is there, is whole, and reads as plain English."""

from collections.abc import Iterator

import click
import pytest

from parity.cli import cli
from parity.cli.mutants import FILES

STUMBLES = ("so many", "any more", "besides", "there are", "there is not", "such as are", "what is", "what there")
"""Turns of phrase that had to be read twice."""


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member
            yield from commands(member, click.Context(member, info_name=name, parent=context))


COMMANDS = dict(commands(cli, click.Context(cli, info_name="parity", **cli.context_settings)))
OPTIONS = {
    f"{path} {option.opts[0]}": option
    for path, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option) and not option.hidden
}


@pytest.mark.parametrize("path", COMMANDS)
def test_the_first_sentence_of_a_command_fits_into_the_list_of_commands(path: str) -> None:
    widest = 80 - 2 - len("transplant") - 2 - 4
    short = COMMANDS[path].get_short_help_str(limit=widest)
    assert short[0].isupper()
    assert path == "parity" or not short.endswith("..."), short


@pytest.mark.parametrize("path", OPTIONS)
def test_an_option_says_what_it_does_in_a_sentence(path: str) -> None:
    said = OPTIONS[path].help
    assert said, "has no help text"
    assert said[0].isupper()
    assert said.split("  [")[0].endswith("."), said


@pytest.mark.parametrize("path", [*COMMANDS, *OPTIONS])
def test_a_help_text_has_none_of_the_turns_that_made_readers_stumble(path: str) -> None:
    said = ((OPTIONS[path].help if path in OPTIONS else COMMANDS[path].help) or "").lower()
    assert not [turn for turn in STUMBLES if turn in said]


def test_the_help_of_mutants_names_the_files_that_are_taken_without_any() -> None:
    said = COMMANDS["parity mutants"].help or ""
    assert all(file.split("/")[1].removesuffix(".py") in said for file in FILES)
