"""Where the patches of an object lie and how they are weighted, in PyTorch.

Several patches of a group see overlapping parts of one object. Their positions r = [x, y] are pixels on a
canvas about its middle, x along the columns and y along the rows: patch c shows at its own middle what the
canvas has at -r_c. `reassemble_patches` merges a group into its canvas, `extract_patches` reads it off again;
both move images by `translate`'s interpolation. What light makes of a patch is `ptycho_torch.optics`.
"""

import torch
from torch import Tensor

from ptycho_exposures.checks import refusal
from ptycho_torch import checks

_FLOOR = 1e-3  # of the summed weight, so that the canvas is 0 and not NaN where no patch lies


def central_weight(patches: Tensor) -> Tensor:
    """The weight 1 on the central H//2 x W//2 pixels of a patch and 0 around them, where the probe is weak.

    Args:
        patches: (B, C, H, W), complex, dimensionless; only its shape and precision are used.

    Returns:
        (H, W), real, in the precision of the patches; the first row with weight 1 is (H - H//2) // 2.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    rows, columns = (_is_central(size, patches.device) for size in patches.shape[-2:])
    return (rows[:, None] & columns).to(patches.real.dtype)


def uniform_weight(patches: Tensor) -> Tensor:
    """The weight 1 on every pixel of a patch.

    Args:
        patches: (B, C, H, W), complex, dimensionless; only its shape and precision are used.

    Returns:
        (H, W), real, in the precision of the patches.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    return torch.ones(patches.shape[-2:], dtype=patches.real.dtype, device=patches.device)


def probe_weight(probe: Tensor) -> Tensor:
    """The weight sum_p |p_p|^2, the light that a pixel of a patch receives from all modes.

    It is the weight of the least-squares object update (Thibault et al., Ultramicroscopy 109, 338, 2009).

    Args:
        probe: (P, H, W), complex, square-root photons.

    Returns:
        (H, W), real, photons.

    Raises:
        TypeError: the probe is not complex.
        ValueError: the probe has another rank.
    """
    checks.require_complex("probe", probe)
    return (probe.real.square() + probe.imag.square()).sum(dim=0)


def pad(patches: Tensor, rows: int, columns: int) -> Tensor:
    """The patches in the middle of frames of zeros: (rows - H) / 2 rows on either side, likewise columns.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        rows: of the frame, H or more and of the parity of H, so that the middles coincide.
        columns: of the frame, W or more and of the parity of W.

    Returns:
        (B, C, rows, columns), complex.

    Raises:
        TypeError: the patches are not complex, or a size is not whole.
        ValueError: the patches have another rank, or a size is too small or of the other parity.
    """
    checks.require_complex("patches", patches)
    _require_frame(rows, columns, "patches", patches, larger=True)
    above, left = (rows - patches.shape[-2]) // 2, (columns - patches.shape[-1]) // 2
    return torch.nn.functional.pad(patches, (left, left, above, above))


def trim(patches: Tensor, rows: int, columns: int) -> Tensor:
    """The middle of the patches, the exact inverse of `pad`: (H - rows) / 2 rows fewer on either side.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        rows: to keep, at most H and of its parity.
        columns: to keep, at most W and of its parity.

    Returns:
        (B, C, rows, columns), complex.

    Raises:
        TypeError: the patches are not complex, or a size is not whole.
        ValueError: the patches have another rank, or a size is not positive, too large or of the other
            parity.
    """
    checks.require_complex("patches", patches)
    _require_frame(rows, columns, "patches", patches, larger=False)
    top, left = (patches.shape[-2] - rows) // 2, (patches.shape[-1] - columns) // 2
    return patches[..., top : top + rows, left : left + columns]


def translate(patches: Tensor, positions: Tensor) -> Tensor:
    """The patches with their content moved by +r: by x to larger columns, by y to larger rows.

    Bilinear interpolation, first of rows, then of columns: with r = k + f and k the floor, out[i] = (1 - f)
    in[i - k] + f in[i - k - 1], and zero outside the frame. Whole moves are exact. The gradient of a
    position is that of f, at a whole number the slope towards larger ones. NaN moves a patch to NaN.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        positions: (B, C, 2), real, pixels, [x, y]; any size.

    Returns:
        (B, C, H, W), complex.

    Raises:
        TypeError: the patches are not complex, the positions not real, or the precisions differ.
        ValueError: an argument has another rank, or B and C differ.
    """
    _require_placed(patches, positions)
    return _moved(patches, positions, *patches.shape[-2:])


def extract_patches(canvas: Tensor, positions: Tensor, rows: int, columns: int) -> Tensor:
    """The patches that lie at -r on the canvas: patch c is trim(translate(canvas, +r_c), rows, columns).

    Args:
        canvas: (B, Y, X), complex, dimensionless.
        positions: (B, C, 2), real, pixels, [x, y]; |x| <= (X - columns) / 2 and |y| <= (Y - rows) / 2.
        rows: of a patch, at most Y and of its parity.
        columns: of a patch, at most X and of its parity.

    Returns:
        (B, C, rows, columns), complex.

    Raises:
        TypeError: the canvas is not complex, the positions not real, the precisions differ, or a size is
            not whole.
        ValueError: an argument has another rank, B differs, a size is not positive, too large or of the
            other parity, or a patch leaves the canvas.
    """
    checks.require_complex("canvas", canvas)
    checks.require_real("positions", positions)
    checks.require_agreement("positions", positions, "canvas", canvas)
    _require_frame(rows, columns, "canvas", canvas, larger=False)
    _require_on_canvas(positions, (rows, columns), (canvas.shape[-2], canvas.shape[-1]))
    return _moved(canvas[:, None], positions, rows, columns)


def reassemble_patches(patches: Tensor, positions: Tensor, weight: Tensor, rows: int, columns: int) -> Tensor:
    """The object of each group on a canvas, the weighted mean of its patches, each at its place.

    sum_c translate(pad(m O_c), -r_c) / (sum_c translate(pad(m), -r_c) + 0.001), so that it is 0 where no
    patch has weight.

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        positions: (B, C, 2), real, pixels, [x, y]; |x| <= (columns - W) / 2 and |y| <= (rows - H) / 2.
        weight: (H, W), real, m of every patch; not negative.
        rows: of the canvas, H or more and of the parity of H.
        columns: of the canvas, W or more and of the parity of W.

    Returns:
        (B, rows, columns), complex, dimensionless.

    Raises:
        TypeError: the patches are not complex, another tensor is not real, the precisions differ, or a
            size is not whole.
        ValueError: an argument has another rank, shapes differ, a size is too small or of the other
            parity, or a patch leaves the canvas.
    """
    _require_placed(patches, positions)
    checks.require_real("weight", weight)
    checks.require_agreement("weight", weight, "patches", patches)
    _require_frame(rows, columns, "patches", patches, larger=True)
    _require_on_canvas(positions, (patches.shape[-2], patches.shape[-1]), (rows, columns))
    placed = _moved(weight * patches, -positions, rows, columns).sum(dim=1)
    cover = _moved(weight, -positions, rows, columns).sum(dim=1)
    # Divided part by part: a complex division rounds several times.
    return torch.view_as_complex(torch.view_as_real(placed) / (cover + _FLOOR)[..., None])


def relative_positions(positions: Tensor) -> Tensor:
    """The positions r_c = -(g_c - mean_c g) on the group's own canvas, from those in the scan.

    Args:
        positions: (B, C, 2), real, pixels, [x, y] of the scan.

    Returns:
        (B, C, 2), real, pixels, [x, y]; they sum to 0 over the patches of a group.

    Raises:
        TypeError: the positions are not real floating point.
        ValueError: the positions have another rank.
    """
    checks.require_real("positions", positions)
    return positions.mean(dim=1, keepdim=True) - positions


def padded_size(size: int, gridsize: int, offset: int, jitter: int) -> int:
    """The side of a canvas, size + (gridsize - 1) offset + 2 jitter, rounded up to the parity of size.

    Args:
        size: of a patch, pixels a side.
        gridsize: patches a side of a group.
        offset: between neighbouring patches, pixels.
        jitter: the farthest that a patch lies from its place, pixels.

    Returns:
        Pixels a side.

    Raises:
        TypeError: an argument is not whole.
        ValueError: a size is not positive, or another argument is negative.
    """
    for name, value, least in (
        ("size", size, 1),
        ("gridsize", gridsize, 1),
        ("offset", offset, 0),
        ("jitter", jitter, 0),
    ):
        checks.require_size(name, value, least)
    room = (gridsize - 1) * offset + 2 * jitter
    return size + room + room % 2


def channel_to_flat(patches: Tensor) -> Tensor:
    """The patches of all groups in one row, those of a group side by side.

    Args:
        patches: (B, C, H, W), complex, dimensionless.

    Returns:
        (B C, H, W), complex; patch c of group b is at b C + c.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    return patches.flatten(0, 1)


def flat_to_channel(flat: Tensor, gridsize: int) -> Tensor:
    """The patches by groups of gridsize^2, the inverse of `channel_to_flat`.

    Args:
        flat: (A, H, W), complex, dimensionless.
        gridsize: patches a side of a group.

    Returns:
        (A / gridsize^2, gridsize^2, H, W), complex.

    Raises:
        TypeError: the patches are not complex, or the grid size is not whole.
        ValueError: the patches have another rank, the grid size is not positive, or A is not a multiple of
            gridsize^2.
    """
    checks.require_complex("flat", flat)
    checks.require_size("gridsize", gridsize)
    if flat.shape[0] % gridsize**2:
        expected = f"a multiple of {gridsize**2} patches (gridsize {gridsize})"
        raise ValueError(refusal("flat", expected, str(flat.shape[0])))
    return flat.reshape(flat.shape[0] // gridsize**2, gridsize**2, *flat.shape[1:])


def channel_to_grid(patches: Tensor, gridsize: int) -> Tensor:
    """The patches of a group by row and column of its grid: patch c is at (c // gridsize, c mod gridsize).

    Args:
        patches: (B, C, H, W), complex, dimensionless.
        gridsize: patches a side of a group.

    Returns:
        (B, gridsize, gridsize, H, W), complex.

    Raises:
        TypeError: the patches are not complex, or the grid size is not whole.
        ValueError: the patches have another rank, the grid size is not positive, or C is not gridsize^2.
    """
    checks.require_complex("patches", patches)
    checks.require_size("gridsize", gridsize)
    if patches.shape[1] != gridsize**2:
        expected = f"{gridsize**2} patches in a group (gridsize {gridsize})"
        raise ValueError(refusal("patches", expected, str(patches.shape[1])))
    return patches.reshape(patches.shape[0], gridsize, gridsize, *patches.shape[2:])


def grid_to_channel(grid: Tensor) -> Tensor:
    """The patches of a group in one row, the inverse of `channel_to_grid`.

    Args:
        grid: (B, G, G, H, W), complex, dimensionless.

    Returns:
        (B, G^2, H, W), complex; that at (row, column) is patch row G + column.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the grid has another rank, or is not square.
    """
    checks.require_complex("grid", grid)
    down, across = grid.shape[1:3]
    if down != across:
        expected = f"as many columns of patches as rows ({down})"
        raise ValueError(refusal("grid", expected, str(across)))
    return grid.flatten(1, 2)


def _is_central(size: int, device: torch.device) -> Tensor:
    start = (size - size // 2) // 2
    index = torch.arange(size, device=device)
    return (index >= start) & (index < start + size // 2)


def _require_placed(patches: Tensor, positions: Tensor) -> None:
    checks.require_complex("patches", patches)
    checks.require_real("positions", positions)
    checks.require_agreement("positions", positions, "patches", patches)


def _require_frame(rows: int, columns: int, name: str, images: Tensor, *, larger: bool) -> None:
    """Refuse a frame that does not hold the images about the same middle, or that they do not hold."""
    for argument, size, present in zip(("rows", "columns"), (rows, columns), images.shape[-2:], strict=True):
        checks.require_size(argument, size)
        if (size < present) if larger else (size > present):
            expected = f"at {'least' if larger else 'most'} the {present} of {name}"
            raise ValueError(refusal(argument, expected, str(size)))
        if (size - present) % 2:
            expected = f"the parity of the {present} of {name}"
            raise ValueError(refusal(argument, expected, str(size)))


def _require_on_canvas(positions: Tensor, patch: tuple[int, int], canvas: tuple[int, int]) -> None:
    """Refuse a position at which a patch leaves the canvas, naming the first; compiled code is not checked."""
    if torch.compiler.is_compiling():
        return
    x_limit, y_limit = (canvas[1] - patch[1]) // 2, (canvas[0] - patch[0]) // 2
    x_most, y_most = positions.detach().abs().amax(dim=(0, 1)).tolist()  # NaN where any position is
    if x_most <= x_limit and y_most <= y_limit:
        return
    limits = torch.tensor((x_limit, y_limit), device=positions.device)
    group, index = (~(positions.abs() <= limits)).any(dim=-1).nonzero()[0].tolist()
    x, y = positions[group, index].tolist()
    expected = f"|x| ≤ {x_limit} and |y| ≤ {y_limit}, so that patches of {patch} stay on the canvas of {canvas}"
    raise ValueError(refusal("positions", expected, f"[{x:.9g}, {y:.9g}] in group {group}, patch {index}"))


def _moved(images: Tensor, shifts: Tensor, rows: int, columns: int) -> Tensor:
    """The frames of rows x columns about the middle of the images, their content moved by `shifts` (B, C, 2).

    `images` (..., H, W) are broadcast over (B, C). Larger frames are padded with zeros, smaller ones trimmed.
    """
    height, width = images.shape[-2:]
    row, row_fraction = _cells(shifts[..., 1], height, rows)
    column, column_fraction = _cells(shifts[..., 0], width, columns)
    bordered = torch.nn.functional.pad(images, (1, 1, 1, 1)).flatten(-2)
    pixel = (row[..., :, None] * (width + 2) + column[..., None, :]).flatten(-2)
    block = bordered.expand(*shifts.shape[:2], -1).gather(-1, pixel)
    block = block.reshape(*shifts.shape[:2], rows + 1, columns + 1)
    parts = torch.view_as_real(block.resolve_conj()) if block.is_complex() else block[..., None]
    parts = _between(parts[..., 1:, :, :], parts[..., :-1, :, :], row_fraction)
    parts = _between(parts[..., 1:, :], parts[..., :-1, :], column_fraction)
    return torch.view_as_complex(parts) if block.is_complex() else parts[..., 0]


def _cells(shift: Tensor, size: int, frame: int) -> tuple[Tensor, Tensor]:
    """The pixels (B, C, frame + 1) of a bordered axis that a frame is interpolated from, and each shift's f.

    Pixel i of the frame lies between pixels i and i + 1 of these. Shift and pixel are never added: the sum
    would round off digits of f.
    """
    whole = torch.floor(shift.detach())
    fraction = shift - whole
    # Beyond size + frame the image is out of sight, and only a bounded number is sure to be an integer.
    steps = whole.nan_to_num().clamp(-size - frame, size + frame).long()
    source = torch.arange(-1, frame, device=shift.device) - (frame - size) // 2 - steps[..., None]
    return source.clamp(-1, size) + 1, fraction[..., None, None, None]


def _between(near: Tensor, far: Tensor, fraction: Tensor) -> Tensor:
    # One temporary less than a sum of two products: most of the time goes into memory.
    return torch.addcmul((1 - fraction) * near, fraction, far)
