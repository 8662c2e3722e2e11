"""The errors that every command turns into an exit code without a traceback: their message says everything."""


class UsageError(Exception):
    """You asked for something that does not exist or makes no sense; the message says what is possible. Exit code 2."""


class CheckNotMade(Exception):
    """Something keeps a check from being made; the message says what. Exit code 3."""
