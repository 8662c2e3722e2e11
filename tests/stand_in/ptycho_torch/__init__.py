"""Model-based ptychography in PyTorch: what a detector sees of an object, and how badly a model of it fits.

Fields are complex tensors (batch, view, row, column); incoherent modes come first, (mode, batch, view, row, column).
The detector counts photons, so that the optics return intensities. Scan positions are [row, column], in pixels from the
middle of the object, and say where the window on it lies.
"""
