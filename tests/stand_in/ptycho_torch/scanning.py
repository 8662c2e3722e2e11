"""Windows on an object: what they see of it, and an object stitched together from what they saw.

An offset is where the middle of a window lies, [row, column], in pixels from the middle of the object.
"""

import torch
from torch import Tensor


def relative(scan: Tensor) -> Tensor:
    """Offsets (batch, view, 2) of scan positions from the middle of their group."""
    return scan - scan.mean(1, keepdim=True)


def look(images: Tensor, offsets: Tensor, shape: tuple[int, int]) -> Tensor:
    """What windows of a shape see of images (batch, view, row, column): bilinear, and nothing beyond the images."""
    (rows, columns), (height, width) = shape, images.shape[-2:]
    after = torch.ceil(offsets).detach()
    down, across = (after - offsets)[..., None, None].unbind(2)
    top, left = after.clamp(-1e9, 1e9).long().unbind(-1)
    box = _box(images, top + (height - rows) // 2 - 1, left + (width - columns) // 2 - 1, rows + 1, columns + 1)
    lines = down * box[..., :-1, :] + (1 - down) * box[..., 1:, :]
    return across * lines[..., :-1] + (1 - across) * lines[..., 1:]


def stitch(views: Tensor, weight: Tensor, offsets: Tensor, shape: tuple[int, int], floor: float = 1e-3) -> Tensor:
    """The weighted mean (batch, row, column) of views where they overlap; nothing is learnt of the weight."""
    weight = weight.detach()
    laid = look(weight * views, -offsets, shape).sum(1)
    cover = look(weight.expand(views.shape), -offsets, shape).sum(1)
    return laid / (cover + floor)


def central(rows: int, columns: int) -> Tensor:
    """A weight of 1 on the middle half of a frame along either side, and of 0 around it."""
    down, across = _middle_half(rows), _middle_half(columns)
    return (down[:, None] & across).double()


def _middle_half(size: int) -> Tensor:
    before = (size - size // 2) // 2
    places = torch.arange(size)
    return (places >= before) & (places < before + size // 2)


def _box(images: Tensor, top: Tensor, left: Tensor, rows: int, columns: int) -> Tensor:
    """Boxes of pixels from a corner (batch, view) on, 0 outside the images."""
    (batch, views, height, width), n = images.shape, torch.arange
    y, x = top[..., None] + n(rows), left[..., None] + n(columns)
    inside = ((y >= 0) & (y < height))[..., None] & ((x >= 0) & (x < width))[..., None, :]
    y, x = y.clamp(0, height - 1)[..., None], x.clamp(0, width - 1)[..., None, :]
    return images[n(batch)[:, None, None, None], n(views)[:, None, None], y, x] * inside
