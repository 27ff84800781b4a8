"""The table of operations."""

import re

import pytest
from botocore import xform_name

from parkade.apps.sagemaker.operations import OPERATIONS
from tests.house import ROOT

PAGED = ("list_models", "list_endpoint_configs", "list_endpoints", "list_inference_components")


@pytest.mark.semantics("clients.boto3")
def test_boto3_calls_every_operation_in_the_tests_of_clients():
    files = (ROOT / "tests" / "clients").glob("test_sagemaker_*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    uncalled = [name for name in OPERATIONS if not re.search(rf"\b{xform_name(name)}\b", source)]
    assert uncalled == []
    assert [name for name in PAGED if f'get_paginator("{name}")' not in source] == []
