"""Ptychography in TensorFlow: optics, losses, networks and the simulator of exposures."""
