"""The PyTorch stack: the physics of ptychography over (groups, patches, rows, columns) tensors.

Nothing is imported here; take what you need from the modules, such as `ptycho_torch.optics`.
"""
