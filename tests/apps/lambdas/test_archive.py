"""Archives of models, as resources of CloudFormation: S3 copies them to the key of their content."""

import hashlib

import pytest

from parkade.adapters.aws.s3.objects import S3Objects
from parkade.apps.lambdas.archive import Archiving
from tests.apps.lambdas.calls import a_call
from tests.apps.lambdas.cloudformation import cloudformation
from tests.aws_account import unique

CONTENT = b"packed" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def asking():
    with cloudformation() as found:
        yield found


class Place:
    def __init__(self, aws, asking):
        self.asking, self.function = asking, Archiving(aws)
        self.objects, self.client = S3Objects(aws), aws.client("s3")
        self.assets, self.bucket = unique("assets"), unique("archive")
        for each in (self.assets, self.bucket):
            self.objects.make_bucket(each)
        self.client.put_object(Bucket=self.assets, Key="asset.gz", Body=CONTENT)
        self.target = f"s3://{self.bucket}/Demo/{'0' * 64}.tar.gz"

    def ask(self, request="Create", **changes):
        told = {
            "Source": f"s3://{self.assets}/asset.gz",
            "Target": self.target,
            "Digest": DIGEST,
            **changes,
        }
        return self.asking.ask(self.function, request, a_call(), **told)

    def stored(self):
        return self.objects.stat(self.bucket, f"Demo/{'0' * 64}.tar.gz")


@pytest.fixture
def place(aws, asking):
    return Place(aws, asking)


def test_an_archive_is_copied_with_the_digest_of_its_content(place):
    told = place.ask()
    assert told["Status"] == "SUCCESS"
    assert told["PhysicalResourceId"] == place.target
    assert (place.stored().size, place.stored().etag) == (len(CONTENT), DIGEST)


def test_what_is_stored_already_is_left_alone(place):
    place.ask()
    place.client.delete_object(Bucket=place.assets, Key="asset.gz")
    assert place.ask("Update")["Status"] == "SUCCESS"
    assert place.stored().etag == DIGEST


def test_an_object_of_other_content_is_replaced(place):
    bucket, key = place.bucket, f"Demo/{'0' * 64}.tar.gz"
    place.client.put_object(Bucket=bucket, Key=key, Body=b"half of it")
    place.ask()
    assert place.stored().size == len(CONTENT)


def test_an_archive_stays_when_nothing_needs_it_any_more(place):
    place.ask()
    assert place.ask("Delete")["Status"] == "SUCCESS"
    assert place.stored().etag == DIGEST


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Source": "s3://no-such-bucket/asset.gz"}, "one of the two is not there"),
        ({"Target": ""}, "the resource has no Target"),
        ({"Target": "elsewhere"}, "is not an s3:// address"),
    ],
)
def test_what_cannot_be_stored_is_told_to_cloudformation(place, changes, words):
    told = place.ask(**changes)
    assert told["Status"] == "FAILED"
    assert words in told["Reason"]
