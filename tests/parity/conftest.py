"""The `parity` command, as a user calls it."""

from collections.abc import Callable

import pytest

from parity import cli

Result = tuple[int, str, str]


@pytest.fixture
def parity_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """The command, called with its arguments; gives exit code, output and errors."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call
