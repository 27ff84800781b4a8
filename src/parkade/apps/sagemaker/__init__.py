"""SageMaker's control API, as its own clients speak it: JSON 1.1 at `POST /`.

Requests are parsed, checked and answered by botocore's description of the service; what is not
built here is refused by its name.
"""
