"""The Lambda functions: thin entries over the services."""
