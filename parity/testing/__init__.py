"""Contracts and goldens in a pytest session.

pytest loads `plugin` in every session of an environment, so nothing here is imported before a test asks for it.
"""
