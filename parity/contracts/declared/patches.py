"""Contracts of `patches`: where patches lie, how they count, how they are merged and cut out again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.contracts.cases.families import canvases
from parity.contracts.cases.families.canvases import BATCHES, BEYOND, MERGED, SHAPES, SHIFTS, TIGHT
from parity.contracts.cases.families.exposures import gridsize, patches
from parity.contracts.cases.families.probes import probe, size
from parity.contracts.changes import returning
from parity.contracts.contract import Argument, Contract, Fact, Law, Result, Trial
from parity.contracts.declared.batch import batch_facts
from parity.contracts.fault import Fault
from parity.physics.kinds import CANVAS, COUNT, FLAT, GRID, OBJECT, POSITIONS, PROBE, SIZE, WEIGHT

_PATCHES = Argument("patches", OBJECT, patches, differentiable=True)
_POSITIONS = Argument("positions", POSITIONS, canvases.positions, differentiable=True)
_ROWS = Argument("rows", SIZE, canvases.rows)
_COLUMNS = Argument("columns", SIZE, canvases.columns)
_GRIDSIZE = Argument("gridsize", COUNT, gridsize)

_LAYOUTS = (*SHAPES[:4], *SHAPES[-2:])
"""Every shape; the texture does not matter to what only moves elements."""


def _unmoved(trial: Trial) -> Law:
    return Law(
        trial.value(positions=np.zeros_like(trial.inputs["positions"])),
        trial.exact(trial.inputs["patches"]),
    )


def _linear(trial: Trial) -> Law:
    return Law(trial.value(patches=2.0 * trial.inputs["patches"]), 2 * trial.value())


def _middle_of_the_canvas(trial: Trial) -> Law:
    canvas = trial.inputs["canvas"]
    rows, columns = (int(trial.inputs[name]) for name in ("rows", "columns"))
    top, left = (canvas.shape[1] - rows) // 2, (canvas.shape[2] - columns) // 2
    middle = canvas[:, None, top : top + rows, left : left + columns]
    unmoved = np.zeros_like(trial.inputs["positions"])
    return Law(
        trial.value(positions=unmoved), trial.exact(np.repeat(middle, trial.inputs["positions"].shape[1], axis=1))
    )


def _moved_as_a_whole(trial: Trial) -> Law:
    positions = trial.inputs["positions"]
    moved = positions + np.array([64.0, -32.0])
    return Law(trial.value(positions=moved), trial.value())


CONTRACTS = (
    Contract(
        name="patches.central_weight",
        equation="1 on the central H//2 × W//2 pixels, 0 elsewhere",
        arguments=(Argument("patches", OBJECT, patches),),
        results=(Result("weight", WEIGHT),),
        strata=SHAPES,
    ),
    Contract(
        name="patches.uniform_weight",
        equation="1 on every pixel",
        textbook=lambda mp, patches: np.ones(patches.shape[-2:], int),
        arguments=(Argument("patches", OBJECT, patches),),
        results=(Result("weight", WEIGHT),),
        strata=_LAYOUTS,
    ),
    Contract(
        name="patches.probe_weight",
        equation="Σ_p |p|²",
        textbook=lambda mp, probe: np.sum(abs(probe) ** 2, axis=0),
        arguments=(Argument("probe", PROBE, probe, differentiable=True),),
        results=(Result("weight", WEIGHT),),
        strata=_LAYOUTS,
    ),
    Contract(
        name="patches.pad",
        equation="patches in the middle of rows × columns zeros",
        arguments=(_PATCHES, _ROWS, _COLUMNS),
        results=(Result("padded", OBJECT),),
        strata=(*_LAYOUTS, *TIGHT),
    ),
    Contract(
        name="patches.trim",
        equation="the central rows × columns of patches: the inverse of pad",
        arguments=(
            Argument("patches", OBJECT, canvases.framed, differentiable=True),
            Argument("rows", SIZE, canvases.patch_rows),
            Argument("columns", SIZE, canvases.patch_columns),
        ),
        results=(Result("trimmed", OBJECT),),
        strata=(*_LAYOUTS, *TIGHT),
    ),
    Contract(
        name="patches.translate",
        equation="O(x − r): bilinear, 0 outside the frame, exact for whole r",
        arguments=(_PATCHES, _POSITIONS),
        results=(Result("translated", OBJECT),),
        strata=(*SHAPES, *SHIFTS, *BEYOND, *BATCHES),
        facts=(
            Fact("r = 0 changes nothing", _unmoved, broken_by="positions-half-a-pixel-off"),
            *batch_facts("patches", "positions"),
        ),
    ),
    Contract(
        name="patches.extract_patches",
        equation="patch c is the central rows × columns of the canvas translated by +r_c",
        arguments=(
            Argument("canvas", CANVAS, canvases.canvas, differentiable=True),
            _POSITIONS,
            Argument("rows", SIZE, canvases.patch_rows),
            Argument("columns", SIZE, canvases.patch_columns),
        ),
        results=(Result("patches", OBJECT),),
        strata=(*SHAPES, *SHIFTS, *BATCHES),
        facts=(
            Fact("r = 0 gives the middle of the canvas", _middle_of_the_canvas, broken_by="positions-half-a-pixel-off"),
            *batch_facts("canvas", "positions"),
        ),
    ),
    Contract(
        name="patches.reassemble_patches",
        equation="Σ_c T_c(m·O_c) / (Σ_c T_c(m) + 10⁻³), T_c = pad, then translate by −r_c",
        arguments=(
            _PATCHES,
            _POSITIONS,
            Argument("weight", WEIGHT, canvases.weight, differentiable=True),
            _ROWS,
            _COLUMNS,
        ),
        results=(Result("canvas", CANVAS),),
        strata=(*SHAPES, *SHIFTS, *MERGED, *BATCHES),
        facts=(
            Fact("twice the patches, twice the canvas", _linear, broken_by="result-plus-1e-3"),
            *batch_facts("patches", "positions"),
        ),
    ),
    Contract(
        name="patches.relative_positions",
        equation="r_c = −(g_c − mean_c g)",
        textbook=lambda mp, positions: np.mean(positions, axis=1, keepdims=True) - positions,
        arguments=(Argument("positions", POSITIONS, canvases.scan, differentiable=True),),
        results=(Result("relative", POSITIONS),),
        strata=tuple(replace(stratum, patches=(4,)) for stratum in (*_LAYOUTS, *BATCHES)),
        facts=(
            Fact("a group moved as a whole has the same relative positions", _moved_as_a_whole, broken_by="no-mean"),
            *batch_facts("positions"),
        ),
    ),
    Contract(
        name="patches.padded_size",
        equation="M = N + (gridsize − 1)·offset + 2·jitter, rounded up to the parity of N",
        arguments=(
            Argument("size", SIZE, size),
            _GRIDSIZE,
            Argument("offset", SIZE, canvases.offset),
            Argument("jitter", SIZE, canvases.jitter),
        ),
        results=(Result("padded", SIZE),),
        strata=_LAYOUTS,
    ),
    Contract(
        name="patches.channel_to_flat",
        equation="(B, C) → B·C, the patches of a group together",
        textbook=lambda mp, patches: np.array([patch for group in patches for patch in group]),
        arguments=(_PATCHES,),
        results=(Result("flat", FLAT),),
        strata=_LAYOUTS,
    ),
    Contract(
        name="patches.flat_to_channel",
        equation="B·C → (B, C), C = gridsize²",
        arguments=(Argument("flat", FLAT, canvases.flat, differentiable=True), _GRIDSIZE),
        results=(Result("patches", OBJECT),),
        strata=_LAYOUTS,
    ),
    Contract(
        name="patches.channel_to_grid",
        equation="c = row·gridsize + column → (row, column)",
        arguments=(_PATCHES, _GRIDSIZE),
        results=(Result("grid", GRID),),
        strata=_LAYOUTS,
        faults=(
            Fault(
                "patches.channel_to_grid",
                "by-column",
                "the grid is column by column (c = column·gridsize + row)",
                returning(lambda xp, x, a: xp.swapped(x, 1, 2)),
                shows="two patches a side or more",
            ),
            Fault(
                "patches.channel_to_grid",
                "from-below",
                "the rows of the grid are counted from below",
                returning(lambda xp, x, a: xp.flip(x, 1)),
                shows="two patches a side or more",
            ),
        ),
    ),
    Contract(
        name="patches.grid_to_channel",
        equation="(row, column) → c = row·gridsize + column",
        textbook=lambda mp, grid: np.array([[patch for row in group for patch in row] for group in grid]),
        arguments=(Argument("grid", GRID, canvases.grid, differentiable=True),),
        results=(Result("patches", OBJECT),),
        strata=_LAYOUTS,
    ),
)
