"""torch's own optimizers against the equations."""

import pytest
import torch
from torch import Tensor

from ptycho_torch import training
from ptycho_torch.training import OptimizerConfig, make_optimizer


def vector(*values: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (OptimizerConfig("sgd", 0.01), torch.optim.SGD),
        (OptimizerConfig("sgd", 0.01, momentum=0.9), torch.optim.SGD),
        (OptimizerConfig(), torch.optim.Adam),
        (OptimizerConfig("adamw", weight_decay=0.1), torch.optim.AdamW),
    ],
)
def test_ten_steps_of_the_optimizer_are_ten_steps_of_the_function(
    config: OptimizerConfig, kind: type[torch.optim.Optimizer]
) -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(50, dtype=torch.float64, generator=random)
    gradients = torch.randn(10, 50, dtype=torch.float64, generator=random)
    parameter = start.clone().requires_grad_()
    optimizer = make_optimizer(config, [parameter])
    assert type(optimizer) is kind
    state = [start] + [torch.zeros_like(start)] * (1 if config.name == "sgd" else 2)
    for count, gradient in enumerate(gradients, 1):
        parameter.grad = gradient
        optimizer.step()
        if config.name == "sgd":
            state = list(training.sgd_step(state[0], gradient, state[1], config.learning_rate, config.momentum))
        else:
            numbers = [config.learning_rate, config.beta1, config.beta2, config.epsilon]
            step = training.adam_step if config.name == "adam" else training.adamw_step
            numbers += [config.weight_decay] if config.name == "adamw" else []
            state = list(step(state[0], gradient, *state[1:], count, *numbers))
    # Ten steps, each a rounding of the parameter and some of its far smaller update.
    allowed = 10 * 2 * torch.finfo(torch.float64).eps * start.abs().max()
    assert (parameter.detach() - state[0]).abs().max() <= allowed


def test_what_a_framework_would_choose_is_chosen_here() -> None:
    (group,) = make_optimizer(OptimizerConfig("adamw"), [vector(0.0)]).param_groups
    chosen = {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad", "foreach", "fused")}
    assert chosen == {
        "lr": 1e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
        "foreach": False,
        "fused": False,
    }
