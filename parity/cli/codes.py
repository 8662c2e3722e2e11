"""The exit codes of every command."""

AGREE, DISAGREE, USAGE, NOT_CHECKED = 0, 1, 2, 3
