"""What can be asked of a generator without training it: `python -m ptycho_torch.diagnostics`.

Nothing is written and no weight is changed. `gradients` measures how much of a loss reaches each block; `batches` has
the exposures that it is measured on.
"""
