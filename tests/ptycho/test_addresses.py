"""`ptycho.diffsim` and `ptycho.objects` are addresses of the simulation, which stands once."""

import importlib
import inspect

import pytest


@pytest.mark.parametrize("name", ["diffsim", "objects"])
def test_a_public_address_has_the_functions_of_the_simulation_themselves(name: str) -> None:
    address, simulation = (importlib.import_module(f"{package}.{name}") for package in ("ptycho", "ptycho_exposures"))
    own = [
        found
        for found, value in vars(simulation).items()
        if not found.startswith("_") and (inspect.isfunction(value) or inspect.isclass(value))
        if value.__module__ == simulation.__name__
    ]
    assert own
    assert set(own) <= set(address.__all__)
    assert all(getattr(address, found) is getattr(simulation, found) for found in address.__all__)
