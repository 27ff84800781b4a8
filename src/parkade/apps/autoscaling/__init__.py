"""Application Auto Scaling's API, as its own clients speak it, for the namespace `sagemaker`.

Requests are parsed, checked and answered by botocore's description of the service; what is not
built here is refused by its name.
"""
