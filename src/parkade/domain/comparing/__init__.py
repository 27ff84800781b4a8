"""Whether two answers say the same: read by their content types, compared value by value.

    compare(Body(b'{"p": 0.71}', JSON), Body(b'{"p": 0.7}', JSON), Rules(tolerance=Tolerance(0.1)))

`fields` names places in an answer, `tolerance` says how far numbers may lie apart, `reading` makes
values of bodies, `walking` goes through two values together, and `answers` puts them together.
"""
