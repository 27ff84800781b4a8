"""Captured requests that are sent once more, and what came of it.

`replies` says how one of them went, `tally` adds them up and writes all of it as JSON, `spread` holds
numbers, `worst` keeps examples.
"""
