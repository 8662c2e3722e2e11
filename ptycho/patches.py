"""How the patches of an object are weighted, in TensorFlow."""

import tensorflow as tf

from ptycho import checks


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


def _is_central(size: tf.Tensor) -> tf.Tensor:
    start = (size - size // 2) // 2
    index = tf.range(size)
    return (index >= start) & (index < start + size // 2)
