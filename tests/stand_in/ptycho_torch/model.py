"""The forward model of a scan."""

from torch import Tensor, nn

from ptycho_torch import detector, optics, scanning


class Simulator(nn.Module):
    """Views of an object that overlap, seen together and propagated to the detector.

    Without a weight, views do not know of each other. `canvas` is the shape of the object that they are stitched to.
    """

    def __init__(self, modes: Tensor, canvas: tuple[int, int], weight: Tensor | None = None) -> None:
        super().__init__()
        self.modes, self.canvas, self.weight = modes, canvas, weight

    def forward(self, views: Tensor, offsets: Tensor, log_gain: Tensor) -> Tensor:
        """The expected amplitude (batch, view, row, column) on the detector."""
        if self.weight is not None:
            whole = scanning.stitch(views, self.weight.to(views.real.dtype), offsets, self.canvas)
            views = scanning.look(whole[:, None].expand(-1, views.shape[1], -1, -1), offsets, views.shape[-2:])
        intensity = optics.detect(optics.expose(self.modes, views))
        lit = intensity > 0
        return detector.amplify(intensity.where(lit, 1).sqrt().where(lit, 0), log_gain)
