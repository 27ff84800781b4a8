"""SageMaker's JSON and the domain's values, both ways: what its clients and its servers share.

Nothing here knows botocore or refuses anything: who serves requests checks them first, and who asks
AWS reads what AWS has checked.
"""
