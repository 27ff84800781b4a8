"""Ports answered in memory, for tests and experiments; shipped, and held to the same suites."""
