"""The CDK begins with its import: which node it takes, and that it does not validate, is said before."""

from parkade.apps import settings

settings.let_cdk_find_node(validates=False)
