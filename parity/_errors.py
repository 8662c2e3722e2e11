"""What every error has in common that says by itself why a check could not be made."""


class CheckNotMade(Exception):
    """Keeps a check from being made; the message says everything, and needs no traceback. Exit code 3."""
