"""Notices by HTTP POST."""
