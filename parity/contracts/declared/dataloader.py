"""Contracts of `dataloader`: the same groups, the same places and the same brightness of the same scan.

Each is held twice in either stack: as a function of arrays, and as what a data set reads from a file of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.contracts.cases.families import scans
from parity.contracts.cases.families.exposures import gridsize
from parity.contracts.cases.families.scans import READINGS, SCANS, SHAPES
from parity.contracts.changes import given
from parity.contracts.contract import Argument, Contract, Entry, Fact, Law, Result, Trial
from parity.physics.kinds import AMPLITUDE, COUNT, GROUPS, POSITIONS, RECORD, SCAN

_SCAN = Argument("scan", SCAN, scans.raster)
_DIFFRACTION = Argument("diffraction", RECORD, scans.recorded)
_GROUPING = (
    Argument("gridsize", COUNT, gridsize),
    Argument("neighbours", COUNT, scans.neighbours),
    Argument("seed", COUNT, scans.grouping_seed),
)

_EXPOSURES = tuple(replace(stratum, shapes=((8, 8), (15, 8), (9, 9), (12, 15))) for stratum in (*SHAPES[3:], *READINGS))


def _read(quantity: str) -> tuple[Entry, ...]:
    """What the data sets of both stacks make of a file of the arguments."""
    return tuple(
        Entry(stack, "dataloader.PtychoDataset", _through_a_file(quantity), eager=True)
        for stack in ("tensorflow", "torch")
    )


def _through_a_file(quantity: str) -> Callable[..., Any]:
    def read(dataset: Any, scan: Any, gridsize: Any, neighbours: Any, seed: Any, diffraction: Any = None) -> Any:
        x, y = _array(scan).T
        frames = np.ones((len(x), 2, 2)) if diffraction is None else _array(diffraction)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "scan.npz"
            np.savez(path, diffraction=frames, probeGuess=np.ones(frames.shape[1:], complex), xcoords=x, ycoords=y)
            numbers = {"gridsize": int(gridsize), "neighbours": int(neighbours), "seed": int(seed)}
            opened = dataset(path, **numbers, precision=x.dtype.name)
            return opened.batch(range(len(opened)))[quantity]

    return read


def _array(tensor: Any) -> NDArray[Any]:
    return np.asarray(tensor.cpu() if hasattr(tensor, "detach") else tensor)


def _twice_the_scan(trial: Trial) -> Law:
    """Exact: twice a number has the same digits."""
    return Law(trial.value(scan=2.0 * trial.inputs["scan"]), trial.value())


def _twice_the_positions(trial: Trial) -> Law:
    return Law(trial.value(scan=2.0 * trial.inputs["scan"]), 2 * trial.value())


def _scale_is_forgotten(trial: Trial) -> Law:
    return Law(trial.value(diffraction=4.0 * trial.inputs["diffraction"]), trial.value())


CONTRACTS = (
    Contract(
        name="dataloader.neighbour_groups",
        equation="each exposure and gridsize² − 1 of its nearest, by y into rows, by x within a row",
        arguments=(_SCAN, *_GROUPING),
        results=(Result("groups", GROUPS),),
        strata=SCANS,
        facts=(
            Fact(
                "a scan twice as large has the same groups",
                _twice_the_scan,
                broken_by=given(scan=lambda xp, x: xp.sin(x)),
            ),
        ),
        entries=_read("exposures"),
    ),
    Contract(
        name="dataloader.group_positions",
        equation="r_c = −(g_c − mean_c g) of each group of neighbours",
        arguments=(_SCAN, *_GROUPING),
        results=(Result("positions", POSITIONS),),
        strata=SCANS,
        facts=(
            Fact(
                "a scan twice as large has positions twice as large", _twice_the_positions, broken_by="result-plus-1e-3"
            ),
        ),
        entries=_read("positions"),
    ),
    Contract(
        name="dataloader.group_amplitudes",
        equation="X·√((HW/4) / mean Σ_{h,w} X²), the mean over the scan, of each group of neighbours",
        arguments=(_DIFFRACTION, _SCAN, *_GROUPING),
        results=(Result("amplitudes", AMPLITUDE),),
        strata=(*SCANS, *_EXPOSURES),
        facts=(
            Fact(
                "the scale of the exposures is forgotten",
                _scale_is_forgotten,
                broken_by="not-normalised",
            ),
        ),
        entries=_read("amplitude"),
    ),
)
