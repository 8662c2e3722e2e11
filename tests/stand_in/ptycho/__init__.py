"""Simulated diffraction in TensorFlow, and how far it is from what was measured.

Everything is a stack of frames (frame, row, column), whatever it belongs to; modes are (mode, row, column), and the
waves behind an object (frame, mode, row, column). Detectors give intensities. A shift is how far the content of a frame
moves, [dx, dy] for each frame, in pixels to larger columns and to larger rows.
"""
