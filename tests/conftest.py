"""What the tests share."""

import pytest

from parity._ground.environment import prepare_environment
from parity.stacks import load
from parity.stacks.base import Framework
from tests.clones import copied_checkout, copied_stranger

pytest_plugins = ["pytester", "tests.skips"]

prepare_environment()  # before a test module imports TensorFlow


@pytest.fixture(scope="session")
def stacks() -> tuple[Framework, ...]:
    """Both stacks, TensorFlow's without a trace: a function that is replaced takes effect at once, at no cost."""
    return load(mode="eager")


@pytest.fixture(scope="session")
def _clone(tmp_path_factory):
    return copied_checkout(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def clone(_clone):
    """The clone, without what the test before made of it."""
    _clone.restore()
    return _clone


@pytest.fixture(scope="session")
def _stranger(tmp_path_factory):
    return copied_stranger(tmp_path_factory.mktemp("stranger") / "project")


@pytest.fixture
def stranger(_stranger):
    """A stranger's repository with the subject that starts sooner, without what the test before made of it."""
    _stranger.restore()
    return _stranger
