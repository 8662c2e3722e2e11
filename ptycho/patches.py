"""Where the patches of an object lie and how they are weighted, in TensorFlow.

Several patches of a group see overlapping parts of one object. Their positions r = [x, y] are pixels on a
canvas about its middle, x along the columns and y along the rows: patch c shows at its own middle what the
canvas has at -r_c. `reassemble_patches` merges a group into its canvas, `extract_patches` reads it off again;
both move images by `translate`'s interpolation. What light makes of a patch is `ptycho.optics`.
"""

import tensorflow as tf

from ptycho import checks
from ptycho_exposures.checks import refusal

_FLOOR = 1e-3  # of the summed weight, so that the canvas is 0 and not NaN where no patch lies


def central_weight(patches: tf.Tensor) -> tf.Tensor:
    """The weight 1 on the central H//2 x W//2 pixels of a patch and 0 around them, where the probe is weak.

    Args:
        patches: (B, H, W, C), complex, dimensionless; only its shape and precision are used.

    Returns:
        (H, W), real, in the precision of the patches; the first row with weight 1 is (H - H//2) // 2.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    rows, columns = (_is_central(tf.shape(patches)[axis]) for axis in (1, 2))
    return tf.cast(rows[:, None] & columns, patches.dtype.real_dtype)


def uniform_weight(patches: tf.Tensor) -> tf.Tensor:
    """The weight 1 on every pixel of a patch.

    Args:
        patches: (B, H, W, C), complex, dimensionless; only its shape and precision are used.

    Returns:
        (H, W), real, in the precision of the patches.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    return tf.ones(tf.shape(patches)[1:3], patches.dtype.real_dtype)


def probe_weight(probe: tf.Tensor) -> tf.Tensor:
    """The weight sum_p |p_p|^2, the light that a pixel of a patch receives from all modes.

    It is the weight of the least-squares object update (Thibault et al., Ultramicroscopy 109, 338, 2009).

    Args:
        probe: (H, W, P), complex, square-root photons.

    Returns:
        (H, W), real, photons.

    Raises:
        TypeError: the probe is not complex.
        ValueError: the probe has another rank.
    """
    checks.require_complex("probe", probe)
    return tf.reduce_sum(tf.square(tf.math.real(probe)) + tf.square(tf.math.imag(probe)), axis=-1)


def pad(patches: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor) -> tf.Tensor:
    """The patches in the middle of frames of zeros: (rows - H) / 2 rows on either side, likewise columns.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        rows: of the frame, H or more and of the parity of H, so that the middles coincide.
        columns: of the frame, W or more and of the parity of W.

    Returns:
        (B, rows, columns, C), complex.

    Raises:
        TypeError: the patches are not complex, or a size is not whole.
        ValueError: the patches have another rank, or a size is too small or of the other parity.
    """
    checks.require_complex("patches", patches)
    rows, columns = _frame(rows, columns, "patches", patches, larger=True)
    above, left = (rows - tf.shape(patches)[1]) // 2, (columns - tf.shape(patches)[2]) // 2
    return tf.pad(patches, [(0, 0), (above, above), (left, left), (0, 0)])


def trim(patches: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor) -> tf.Tensor:
    """The middle of the patches, the exact inverse of `pad`: (H - rows) / 2 rows fewer on either side.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        rows: to keep, at most H and of its parity.
        columns: to keep, at most W and of its parity.

    Returns:
        (B, rows, columns, C), complex.

    Raises:
        TypeError: the patches are not complex, or a size is not whole.
        ValueError: the patches have another rank, or a size is not positive, too large or of the other
            parity.
    """
    checks.require_complex("patches", patches)
    rows, columns = _frame(rows, columns, "patches", patches, larger=False)
    top, left = (tf.shape(patches)[1] - rows) // 2, (tf.shape(patches)[2] - columns) // 2
    return patches[:, top : top + rows, left : left + columns]


def translate(patches: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """The patches with their content moved by +r: by x to larger columns, by y to larger rows.

    Bilinear interpolation, first of rows, then of columns: with r = k + f and k the floor, out[i] = (1 - f)
    in[i - k] + f in[i - k - 1], and zero outside the frame. Whole moves are exact. The gradient of a
    position is that of f, at a whole number the slope towards larger ones. NaN moves a patch to NaN.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        positions: (B, 1, 2, C), real, pixels, [x, y]; any size.

    Returns:
        (B, H, W, C), complex.

    Raises:
        TypeError: the patches are not complex, the positions not real, or the precisions differ.
        ValueError: an argument has another rank, or B and C differ.
    """
    _require_placed(patches, positions)
    images = tf.transpose(patches, (0, 3, 1, 2))
    return tf.transpose(_moved(images, positions, *_plane(images)), (0, 2, 3, 1))


def extract_patches(
    canvas: tf.Tensor, positions: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor
) -> tf.Tensor:
    """The patches that lie at -r on the canvas: patch c is trim(translate(canvas, +r_c), rows, columns).

    Args:
        canvas: (B, Y, X, 1), complex, dimensionless.
        positions: (B, 1, 2, C), real, pixels, [x, y]; |x| <= (X - columns) / 2 and |y| <= (Y - rows) / 2.
        rows: of a patch, at most Y and of its parity.
        columns: of a patch, at most X and of its parity.

    Returns:
        (B, rows, columns, C), complex.

    Raises:
        TypeError: the canvas is not complex, the positions not real, the precisions differ, or a size is
            not whole.
        ValueError: an argument has another rank, B differs, a size is not positive, too large or of the
            other parity, or a patch leaves the canvas.
    """
    checks.require_complex("canvas", canvas)
    checks.require_real("positions", positions)
    checks.require_agreement("positions", positions, "canvas", canvas)
    rows, columns = _frame(rows, columns, "canvas", canvas, larger=False)
    _require_on_canvas(positions, (rows, columns), _plane(canvas[..., 0]))
    return tf.transpose(_moved(canvas[..., 0], positions, rows, columns), (0, 2, 3, 1))


def reassemble_patches(
    patches: tf.Tensor,
    positions: tf.Tensor,
    weight: tf.Tensor,
    rows: int | tf.Tensor,
    columns: int | tf.Tensor,
) -> tf.Tensor:
    """The object of each group on a canvas, the weighted mean of its patches, each at its place.

    sum_c translate(pad(m O_c), -r_c) / (sum_c translate(pad(m), -r_c) + 0.001), so that it is 0 where no
    patch has weight.

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        positions: (B, 1, 2, C), real, pixels, [x, y]; |x| <= (columns - W) / 2 and |y| <= (rows - H) / 2.
        weight: (H, W), real, m of every patch; not negative.
        rows: of the canvas, H or more and of the parity of H.
        columns: of the canvas, W or more and of the parity of W.

    Returns:
        (B, rows, columns, 1), complex, dimensionless.

    Raises:
        TypeError: the patches are not complex, another tensor is not real, the precisions differ, or a
            size is not whole.
        ValueError: an argument has another rank, shapes differ, a size is too small or of the other
            parity, or a patch leaves the canvas.
    """
    _require_placed(patches, positions)
    checks.require_real("weight", weight)
    checks.require_agreement("weight", weight, "patches", patches)
    rows, columns = _frame(rows, columns, "patches", patches, larger=True)
    images = tf.transpose(patches, (0, 3, 1, 2))
    _require_on_canvas(positions, _plane(images), (rows, columns))
    weighted = tf.complex(weight * tf.math.real(images), weight * tf.math.imag(images))
    placed = tf.reduce_sum(_moved(weighted, -positions, rows, columns), axis=1)
    cover = tf.reduce_sum(_moved(weight, -positions, rows, columns), axis=1) + _FLOOR
    # Divided part by part: a complex division rounds several times.
    return tf.complex(tf.math.real(placed) / cover, tf.math.imag(placed) / cover)[..., None]


def relative_positions(positions: tf.Tensor) -> tf.Tensor:
    """The positions r_c = -(g_c - mean_c g) on the group's own canvas, from those in the scan.

    Args:
        positions: (B, 1, 2, C), real, pixels, [x, y] of the scan.

    Returns:
        (B, 1, 2, C), real, pixels, [x, y]; they sum to 0 over the patches of a group.

    Raises:
        TypeError: the positions are not real floating point.
        ValueError: the positions have another rank.
    """
    checks.require_real("positions", positions)
    return tf.reduce_mean(positions, axis=3, keepdims=True) - positions


def padded_size(
    size: int | tf.Tensor, gridsize: int | tf.Tensor, offset: int | tf.Tensor, jitter: int | tf.Tensor
) -> int | tf.Tensor:
    """The side of a canvas, size + (gridsize - 1) offset + 2 jitter, rounded up to the parity of size.

    Args:
        size: of a patch, pixels a side.
        gridsize: patches a side of a group.
        offset: between neighbouring patches, pixels.
        jitter: the farthest that a patch lies from its place, pixels.

    Returns:
        Pixels a side; a whole number where all arguments are, otherwise a scalar, int32.

    Raises:
        TypeError: an argument is not whole.
        ValueError: a size is not positive, or another argument is negative.
    """
    named = {"size": size, "gridsize": gridsize, "offset": offset, "jitter": jitter}
    for name, value in named.items():
        checks.require_size(name, value, least=1 if name in ("size", "gridsize") else 0)
    if any(tf.is_tensor(value) for value in named.values()):
        size, gridsize, offset, jitter = (tf.cast(value, tf.int32) for value in named.values())
    room = (gridsize - 1) * offset + 2 * jitter
    return size + room + room % 2


def channel_to_flat(patches: tf.Tensor) -> tf.Tensor:
    """The patches of all groups in one row, those of a group side by side.

    Args:
        patches: (B, H, W, C), complex, dimensionless.

    Returns:
        (B C, H, W, 1), complex; patch c of group b is at b C + c.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the patches have another rank.
    """
    checks.require_complex("patches", patches)
    groups, height, width, count = _lengths(patches)
    return tf.reshape(tf.transpose(patches, (0, 3, 1, 2)), (groups * count, height, width, 1))


def flat_to_channel(flat: tf.Tensor, gridsize: int | tf.Tensor) -> tf.Tensor:
    """The patches by groups of gridsize^2, the inverse of `channel_to_flat`.

    Args:
        flat: (A, H, W, 1), complex, dimensionless.
        gridsize: patches a side of a group.

    Returns:
        (A / gridsize^2, H, W, gridsize^2), complex.

    Raises:
        TypeError: the patches are not complex, or the grid size is not whole.
        ValueError: the patches have another rank, the grid size is not positive, or A is not a multiple of
            gridsize^2.
    """
    checks.require_complex("flat", flat)
    gridsize, group = _group_size(gridsize)
    count, height, width, _ = _lengths(flat)
    expected = f"a multiple of {_known(group, 'gridsize^2')} patches (gridsize {_known(gridsize, 'given')})"
    checks.require_that(count % group == 0, "flat", expected, count)
    return tf.transpose(tf.reshape(flat, (count // group, group, height, width)), (0, 2, 3, 1))


def channel_to_grid(patches: tf.Tensor, gridsize: int | tf.Tensor) -> tf.Tensor:
    """The patches of a group by row and column of its grid: patch c is at (c // gridsize, c mod gridsize).

    Args:
        patches: (B, H, W, C), complex, dimensionless.
        gridsize: patches a side of a group.

    Returns:
        (B, gridsize, gridsize, H, W), complex.

    Raises:
        TypeError: the patches are not complex, or the grid size is not whole.
        ValueError: the patches have another rank, the grid size is not positive, or C is not gridsize^2.
    """
    checks.require_complex("patches", patches)
    gridsize, group = _group_size(gridsize)
    groups, height, width, count = _lengths(patches)
    expected = f"{_known(group, 'gridsize^2')} patches in a group (gridsize {_known(gridsize, 'given')})"
    checks.require_that(count == group, "patches", expected, count)
    return tf.reshape(tf.transpose(patches, (0, 3, 1, 2)), (groups, gridsize, gridsize, height, width))


def grid_to_channel(grid: tf.Tensor) -> tf.Tensor:
    """The patches of a group in one row, the inverse of `channel_to_grid`.

    Args:
        grid: (B, G, G, H, W), complex, dimensionless.

    Returns:
        (B, H, W, G^2), complex; that at (row, column) is patch row G + column.

    Raises:
        TypeError: the patches are not complex.
        ValueError: the grid has another rank, or is not square.
    """
    checks.require_complex("grid", grid)
    groups, down, across, height, width = _lengths(grid)
    expected = f"as many columns of patches as rows ({_known(down, 'G')})"
    checks.require_that(down == across, "grid", expected, across)
    return tf.transpose(tf.reshape(grid, (groups, down * across, height, width)), (0, 2, 3, 1))


def _is_central(size: tf.Tensor) -> tf.Tensor:
    start = (size - size // 2) // 2
    index = tf.range(size)
    return (index >= start) & (index < start + size // 2)


def _require_placed(patches: tf.Tensor, positions: tf.Tensor) -> None:
    checks.require_complex("patches", patches)
    checks.require_real("positions", positions)
    checks.require_agreement("positions", positions, "patches", patches)


def _frame(
    rows: int | tf.Tensor, columns: int | tf.Tensor, name: str, images: tf.Tensor, *, larger: bool
) -> tuple[int | tf.Tensor, int | tf.Tensor]:
    """The sizes, refused unless the frame holds the images about the same middle, or they hold it."""
    for argument, size, present in zip(("rows", "columns"), (rows, columns), _lengths(images)[1:3], strict=True):
        checks.require_size(argument, size)
        holds = _whole(size) >= present if larger else _whole(size) <= present
        expected = f"{'at least' if larger else 'at most'} the {_known(present, argument)} of {name}"
        checks.require_that(holds, argument, expected, size)
        expected = f"the parity of the {_known(present, argument)} of {name}"
        checks.require_that((_whole(size) - present) % 2 == 0, argument, expected, size)
    return _whole(rows), _whole(columns)


def _require_on_canvas(
    positions: tf.Tensor, patch: tuple[int | tf.Tensor, ...], canvas: tuple[int | tf.Tensor, ...]
) -> None:
    """Refuse a position at which a patch leaves the canvas, naming the first; a graph asserts it."""
    limits = (canvas[1] - patch[1]) // 2, (canvas[0] - patch[0]) // 2
    inside = tf.abs(positions[:, 0]) <= tf.cast(tf.stack(limits), positions.dtype)[:, None]
    all_inside = tf.reduce_all(inside)
    if not tf.executing_eagerly():
        message = refusal("positions", "patches that stay on the canvas", "one that leaves it")
        checks.assert_in_graph(all_inside, message)
    elif not all_inside:
        group, index = tf.where(~tf.reduce_all(inside, axis=1))[0].numpy()
        x, y = positions[group, 0, :, index].numpy()
        reach = "|x| ≤ {} and |y| ≤ {}".format(*map(int, limits))
        sizes = "patches of ({}, {}) stay on the canvas of ({}, {})".format(*map(int, (*patch, *canvas)))
        got = f"[{x:.9g}, {y:.9g}] in group {group}, patch {index}"
        raise ValueError(refusal("positions", f"{reach}, so that {sizes}", got))


def _moved(images: tf.Tensor, shifts: tf.Tensor, rows: int | tf.Tensor, columns: int | tf.Tensor) -> tf.Tensor:
    """The frames (B, C, rows, columns) about the middle of the images, their content moved by `shifts` (B, 1, 2, C).

    Images (H, W) serve all patches, (B, H, W) those of a group, (B, C, H, W) one each. Larger frames are
    padded with zeros, smaller ones trimmed.
    """
    height, width = _plane(images)
    row, row_fraction = _cells(shifts[:, 0, 1], height, rows)
    column, column_fraction = _cells(shifts[:, 0, 0], width, columns)
    batch = images.shape.rank - 2
    bordered = tf.pad(images, [(0, 0)] * batch + [(1, 1), (1, 1)])
    line = tf.reshape(bordered, tf.concat([[1], tf.shape(images)[:-2], [(height + 2) * (width + 2)]], axis=0))
    pixel = row[..., :, None] * (width + 2) + column[..., None, :]
    # Without a batch axis the gradient would be sparse, which the adjoint of the reshaping cannot take.
    block = tf.gather(line, pixel[None], batch_dims=batch + 1)[0]
    if not block.dtype.is_complex:
        return _bilinear(block, row_fraction, column_fraction)
    parts = (_bilinear(part(block), row_fraction, column_fraction) for part in (tf.math.real, tf.math.imag))
    return tf.complex(*parts)


def _cells(shift: tf.Tensor, size: int | tf.Tensor, frame: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The pixels (B, C, frame + 1) of a bordered axis that a frame is interpolated from, and each shift's f.

    Pixel i of the frame lies between pixels i and i + 1 of these. Shift and pixel are never added: the sum
    would round off digits of f.
    """
    whole = tf.floor(shift)
    fraction = shift - whole
    # Beyond size + frame the image is out of sight, and only a bounded number is sure to be an integer.
    bound = tf.cast(size + frame, shift.dtype)
    bounded = tf.clip_by_value(tf.where(tf.math.is_nan(whole), tf.zeros_like(whole), whole), -bound, bound)
    source = tf.range(-1, frame) - (frame - size) // 2 - tf.cast(bounded, tf.int32)[..., None]
    return tf.clip_by_value(source, -1, size) + 1, fraction[..., None, None]


def _bilinear(block: tf.Tensor, row_fraction: tf.Tensor, column_fraction: tf.Tensor) -> tf.Tensor:
    lines = _between(block[..., 1:, :], block[..., :-1, :], row_fraction)
    return _between(lines[..., 1:], lines[..., :-1], column_fraction)


def _between(near: tf.Tensor, far: tf.Tensor, fraction: tf.Tensor) -> tf.Tensor:
    return (1 - fraction) * near + fraction * far


def _group_size(gridsize: int | tf.Tensor) -> tuple[int | tf.Tensor, int | tf.Tensor]:
    checks.require_size("gridsize", gridsize)
    return _whole(gridsize), _whole(gridsize) ** 2


def _plane(images: tf.Tensor) -> tuple[int | tf.Tensor, ...]:
    return tuple(_lengths(images)[-2:])


def _lengths(tensor: tf.Tensor) -> list[int | tf.Tensor]:
    """The sizes of a tensor: numbers where they are known, so that refusals can name them."""
    known = tensor.shape.as_list()
    if None not in known:
        return known
    return [length if size is None else size for length, size in zip(tf.unstack(tf.shape(tensor)), known, strict=True)]


def _whole(size: int | tf.Tensor) -> int | tf.Tensor:
    return tf.cast(size, tf.int32) if tf.is_tensor(size) else int(size)


def _known(size: int | tf.Tensor, otherwise: str) -> str:
    value = tf.get_static_value(size) if tf.is_tensor(size) else size
    return otherwise if value is None else str(value)
