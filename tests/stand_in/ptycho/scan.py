"""Frames cut out of canvases and laid into them."""

import tensorflow as tf


def embed(frames: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    """Frames in the middle of larger ones, with zeros around them."""
    down, across = (rows - frames.shape[1]) // 2, (columns - frames.shape[2]) // 2
    return tf.pad(frames, [[0, 0], [down, down], [across, across]])


def middle(frames: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    """The middle of frames, of so many rows and columns."""
    return tf.image.crop_to_bounding_box(
        frames[..., None], (frames.shape[1] - rows) // 2, (frames.shape[2] - columns) // 2, rows, columns
    )[..., 0]


def shifted(frames: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """Frames with their content moved by [dx, dy] (frame, 2): linear between pixels, and nothing moves in."""
    return _along_rows(tf.transpose(_along_rows(frames, shifts[:, 1]), (0, 2, 1)), shifts[:, 0], transposed=True)


def canvas_pixels(frame: int, side: int, step: int, jitter: int) -> int:
    """Pixels a side of a canvas for side x side frames, `step` apart and up to `jitter` off, as even or odd as they."""
    reach = (side - 1) * step + 2 * jitter
    return frame + 2 * -(-reach // 2)


def from_centre(positions: tf.Tensor) -> tf.Tensor:
    """How far positions (group, member, 2) lie from the centre of their group."""
    return positions - tf.reduce_mean(positions, axis=1, keepdims=True)


def _along_rows(frames: tf.Tensor, shift: tf.Tensor, transposed: bool = False) -> tf.Tensor:
    """Frames moved along their rows by (frame,); back from transposed frames where they came so."""
    whole = tf.floor(shift)
    rest = tf.cast(shift - whole, frames.dtype)[:, None, None]
    steps = tf.cast(tf.clip_by_value(whole, -1e9, 1e9), tf.int32)
    moved = (1 - rest) * _rolled(frames, steps) + rest * _rolled(frames, steps + 1)
    return tf.transpose(moved, (0, 2, 1)) if transposed else moved


def _rolled(frames: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Frames moved by whole pixels along their rows."""
    size = frames.shape[1]
    source = tf.range(size) - steps[:, None]
    inside = tf.cast((source >= 0) & (source < size), frames.dtype)[..., None]
    return tf.gather(frames, tf.clip_by_value(source, 0, size - 1), axis=1, batch_dims=1) * inside
