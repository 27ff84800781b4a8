"""What the decisions need from a cloud: Protocols whose docstrings are contracts.

Every port has at least two implementations and one contract suite in `tests/ports/`.
"""
