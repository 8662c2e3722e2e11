"""What the tests share."""

import pytest

from parity._environment import prepare_environment
from parity.stacks import load
from parity.stacks.base import Framework

pytest_plugins = ["pytester"]

prepare_environment()  # before a test module imports TensorFlow


@pytest.fixture(scope="session")
def stacks() -> tuple[Framework, ...]:
    """Both stacks, TensorFlow's without a trace: a function that is replaced takes effect at once, at no cost."""
    return load(mode="eager")
