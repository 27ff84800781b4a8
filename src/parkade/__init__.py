"""Parkade: model endpoints on a parking meter.

This facade names what a program that builds on Parkade may use; no module of Parkade imports
it. Everything else is inside and may move.
"""

__version__ = "0.1.0"
