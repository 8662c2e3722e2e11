"""The `parity` command, as a user calls it."""

from collections.abc import Callable

import pytest

from parity import cli
from parity._ground.environment import IN_PROCESS

Result = tuple[int, str, str]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stacks are those of this process, which a test may have changed, and which start in no time."""
    monkeypatch.setenv(IN_PROCESS, "1")


@pytest.fixture
def parity_command(capsys: pytest.CaptureFixture[str], in_process: None) -> Callable[..., Result]:
    """The command, called with its arguments; gives exit code, output and errors."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err

    return call
