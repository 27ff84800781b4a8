"""CloudWatch's API, as its own clients speak it: CBOR, JSON 1.0, and the query protocol.

Requests are parsed, checked and answered by botocore's description of the service; what is not
built here is refused by its name.
"""
