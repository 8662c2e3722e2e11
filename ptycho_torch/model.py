"""The losses as modules, for code composed of modules. The functions are in `ptycho_torch.losses`."""

from torch import Tensor, nn

from ptycho_torch.losses import absolute_error, poisson_nll


class PoissonIntensityLayer(nn.Module):
    """The distribution of the counts around one prediction; called on an observation, its `poisson_nll`."""

    def __init__(self, pred_amplitude: Tensor) -> None:
        """Take the predicted amplitude: (B, C, H, W), real, square-root photons."""
        super().__init__()
        self.pred_amplitude = pred_amplitude

    def forward(self, observed_amplitude: Tensor) -> Tensor:
        """The negative log-likelihood (B,), in nats, of an amplitude (B, C, H, W), square-root photons.

        Raises TypeError and ValueError as `poisson_nll` does.
        """
        return poisson_nll(self.pred_amplitude, observed_amplitude)


class PoissonLoss(nn.Module):
    """`poisson_nll` as a module."""

    def forward(self, pred: Tensor, obs: Tensor) -> Tensor:
        """The negative log-likelihood (B,), in nats, of amplitudes (B, C, H, W), square-root photons.

        Raises TypeError and ValueError as `poisson_nll` does.
        """
        return poisson_nll(pred, obs)


class MAELoss(nn.Module):
    """`absolute_error` as a module: what `mae` averages."""

    def forward(self, pred: Tensor, obs: Tensor) -> Tensor:
        """|pred - obs| (B, C, H, W) of amplitudes (B, C, H, W), all in square-root photons.

        Raises TypeError and ValueError as `absolute_error` does.
        """
        return absolute_error(pred, obs)
