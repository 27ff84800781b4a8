"""Objects in S3: what is large, what others have put, and connections that break."""

import hashlib
import io

import pytest
from botocore.exceptions import ReadTimeoutError, ResponseStreamingError

from parkade.adapters.aws.s3.infos import SUM
from parkade.adapters.aws.s3.objects import S3Objects
from parkade.adapters.aws.s3.reader import Reader
from parkade.adapters.aws.s3.writer import PART
from parkade.domain.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidInput,
    ResourceLimitExceeded,
    Throttled,
    Unavailable,
)
from tests.aws_account import REGION, an_account, unique, write_config
from tests.stubbed import stubbed

#: More than one part, and no multiple of anything.
LARGE = bytes(range(256)) * (PART // 256) + b"and the rest"


@pytest.fixture
def bucket():
    return unique("bucket")


@pytest.fixture
def objects(aws):
    return S3Objects(aws)


@pytest.fixture
def refusing(aws):
    """Objects in an S3 that answers what a test says."""
    with stubbed(aws, "s3") as (stub, _):
        yield S3Objects(aws), stub


def put(objects, bucket, content=b"content", headers=None):
    with objects.writer(bucket, "key", headers) as writer:
        writer.write(content)
        return writer.commit()


def test_what_is_large_comes_in_parts_and_has_the_sum_of_its_content(aws, objects, bucket):
    info = put(objects, bucket, LARGE, {"content-type": "application/gzip"})
    assert info.etag == hashlib.sha256(LARGE).hexdigest()
    assert info == objects.stat(bucket, "key")
    assert info.headers == {"content-type": "application/gzip"}
    head = aws.client("s3").head_object(Bucket=bucket, Key="key")
    assert head["ETag"].endswith('-2"')
    with objects.open(bucket, "key") as file:
        assert file.read() == LARGE


def test_a_bucket_is_made_in_the_accounts_region_when_the_first_object_comes(aws, objects, bucket):
    put(objects, bucket)
    place = aws.client("s3").get_bucket_location(Bucket=bucket)
    assert place["LocationConstraint"] == REGION


def test_in_s3s_first_region_a_bucket_is_made_without_naming_it(moto_server, tmp_path, bucket):
    config = tmp_path / "config"
    write_config(config, moto_server, region="us-east-1")
    objects = S3Objects(an_account(config))
    objects.make_bucket(bucket)
    assert bucket in [each.name for each in objects.buckets()]


def test_all_that_a_writer_may_say_is_kept(objects, bucket):
    said = {
        "content-type": "text/csv",
        "content-encoding": "gzip",
        "content-language": "de",
        "content-disposition": "inline",
        "cache-control": "no-store",
        "expires": "Wed, 01 Apr 2026 12:00:00 GMT",
        "x-amz-meta-owner": "ann",
    }
    assert put(objects, bucket, headers=said).headers == said
    assert SUM not in objects.stat(bucket, "key").headers


def test_what_others_put_has_the_sum_that_s3_knows_or_one_that_changes_with_it(
    aws, objects, bucket
):
    objects.make_bucket(bucket)
    client = aws.client("s3")
    client.put_object(Bucket=bucket, Key="key", Body=b"one", ChecksumAlgorithm="SHA256")
    assert objects.stat(bucket, "key").etag == hashlib.sha256(b"one").hexdigest()
    etags = set()
    for content in (b"one", b"two", b"one"):
        client.put_object(Bucket=bucket, Key="key", Body=content, ChecksumAlgorithm="CRC32")
        etags.add(objects.stat(bucket, "key").etag)
    assert len(etags) == 2
    assert etags.isdisjoint(
        {hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()}
    )
    assert {len(each) for each in etags} == {64}


def test_keys_that_have_no_address_here_hide_no_others(aws, objects, bucket):
    put(objects, bucket)
    for key in ("a//b", "../c"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    assert [info.key for info in objects.ls(bucket)] == ["key"]


def test_more_than_a_page_of_objects_is_listed(objects, bucket, monkeypatch):
    monkeypatch.setattr("parkade.adapters.aws.s3.objects._KEYS", 2)
    for key in ("a", "b", "c/1", "c/2", "d"):
        with objects.writer(bucket, key) as writer:
            writer.commit()
    assert [info.key for info in objects.ls(bucket)] == ["a", "b", "c/1", "c/2", "d"]
    page = objects.page(bucket, delimiter="/", limit=4)
    assert ([info.key for info in page.objects], page.prefixes) == (["a", "b", "d"], ["c/"])


# -- reading on --------------------------------------------------------------------------------


class Breaking:
    """A body that breaks after some bytes."""

    def __init__(self, content, error):
        self._content = io.BytesIO(content)
        self._error = error

    def read(self, most):
        data = self._content.read(most)
        if not data and self._error is not None:
            raise self._error
        return data

    def close(self):
        """Nothing is held."""


def opened(aws, bucket, content, body):
    head = aws.client("s3").head_object(Bucket=bucket, Key="key")
    return Reader(aws, bucket, "key", {**head, "ContentLength": len(content), "Body": body})


@pytest.mark.parametrize(
    "error",
    [
        None,
        ReadTimeoutError(endpoint_url="http://s3", error="slow"),
        ResponseStreamingError(error="reset"),
    ],
    ids=["ended", "slow", "reset"],
)
def test_a_connection_that_breaks_is_gone_on_with_where_it_broke(aws, objects, bucket, error):
    put(objects, bucket, b"0123456789")
    with opened(aws, bucket, b"0123456789", Breaking(b"0123", error)) as reader:
        assert io.BufferedReader(reader).read() == b"0123456789"


def test_what_was_replaced_meanwhile_is_not_gone_on_with(aws, objects, bucket):
    put(objects, bucket, b"0123456789")
    with opened(aws, bucket, b"0123456789", Breaking(b"0123", None)) as reader:
        put(objects, bucket, b"abcdefghij")
        file = io.BufferedReader(reader, 4)
        assert file.read(4) == b"0123"
        with pytest.raises(Conflict, match="replaced or deleted"):
            file.read()


def test_one_that_breaks_again_and_again_is_unavailable(aws, objects, bucket, monkeypatch):
    put(objects, bucket, b"0123456789")
    with opened(aws, bucket, b"0123456789", Breaking(b"0123", None)) as reader:
        monkeypatch.setattr(Reader, "_open", lambda _: Breaking(b"", None))
        with pytest.raises(Unavailable, match="breaks off at byte 4 of 10"):
            io.BufferedReader(reader, 4).read()


def test_one_can_go_elsewhere_in_an_object(objects, bucket):
    put(objects, bucket, b"0123456789")
    with objects.open(bucket, "key") as file:
        assert file.seekable()
        assert file.seek(-3, io.SEEK_END) == 7
        assert file.read() == b"789"
        file.seek(2)
        assert file.read(2) == b"23"
        assert file.tell() == 4
        file.seek(0, io.SEEK_END)
        assert file.read() == b""


# -- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("SlowDown", 503, Throttled), ("AccessDenied", 403, Forbidden), ("InternalError", 500, Unavailable)],
)  # fmt: skip
def test_refusals_are_told_apart(refusing, code, status, error):
    objects, stub = refusing
    for operation, ask in {
        "put_object": lambda: put(objects, "models"),
        "head_object": lambda: objects.stat("models", "key"),
        "get_object": lambda: objects.open("models", "key"),
        "list_objects_v2": lambda: objects.ls("models"),
        "delete_object": lambda: objects.delete("models", "key"),
        "delete_bucket": lambda: objects.remove_bucket("models"),
        "create_bucket": lambda: objects.make_bucket("models"),
    }.items():
        stub.add_client_error(operation, code, "no", http_status_code=status)
        with pytest.raises(error, match=code):
            ask()


def test_a_bucket_of_somebody_else_is_told(refusing):
    objects, stub = refusing
    stub.add_client_error("create_bucket", "BucketAlreadyExists", "taken")
    with pytest.raises(AlreadyExists, match="somebody else's"):
        objects.make_bucket("models")
    stub.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", "yours")
    objects.make_bucket("models")


@pytest.mark.parametrize("status", [404, 403], ids=["gone", "not to be seen"])
def test_an_object_that_is_gone_once_it_was_put_is_described_all_the_same(refusing, status):
    objects, stub = refusing
    stub.add_response("put_object", {})
    stub.add_client_error(
        "head_object",
        str(status),
        http_status_code=status,
        response_meta={"HTTPHeaders": {"date": "Sun, 01 Mar 2026 12:00:00 GMT"}},
    )
    info = put(objects, "models", headers={"x-amz-meta-a": "b"})
    assert (info.size, info.headers) == (7, {"x-amz-meta-a": "b"})
    assert info.modified_at.isoformat() == "2026-03-01T12:00:00+00:00"


def test_a_full_disk_is_told(objects, bucket, monkeypatch):
    with objects.writer(bucket, "key") as writer:
        monkeypatch.setattr(writer._file, "write", full)
        with pytest.raises(ResourceLimitExceeded, match="no room on the disk"):
            writer.write(b"content")


def full(_):
    raise OSError(28, "No space left on device")


def test_what_no_header_can_hold_is_refused(objects, bucket):
    with pytest.raises(InvalidInput, match="ascii"):
        put(objects, bucket, headers={"x-amz-meta-name": "ünder"})
