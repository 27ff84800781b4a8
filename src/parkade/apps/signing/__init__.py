"""Requests signed as AWS signs them: whose they are, and that nobody changed them.

Pure but for `callers`, which looks tokens up; the gateway and the doors of the control process
(SageMaker, S3, STS) share what is here.
"""
