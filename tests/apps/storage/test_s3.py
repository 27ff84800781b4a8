"""S3's door: operations and refusals, without a network."""

import base64
import hashlib
import zlib

import pytest

from parkade.apps.api.app import create_app
from parkade.apps.storage import operations
from tests.apps.storage.shop import Shop

UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def crc(content):
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


def md5(content):
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def keys(shop, bucket="models"):
    return [info.key for info in shop.objects.ls(bucket)]


# -- objects ------------------------------------------------------------------------------


def test_an_object_is_put_read_described_and_deleted(shop):
    headers = {
        "Content-Type": "text/csv",
        "Cache-Control": "no-cache",
        "x-amz-meta-Owner": "ann",
        "Content-Encoding": "gzip",
    }
    etag = f'"{hashlib.sha256(b"content").hexdigest()}"'
    assert shop.ok("PUT", "models/a/b", content=b"content", headers=headers).headers["etag"] == etag
    read = shop.ok("HEAD", "models/a/b")
    for name, value in headers.items():
        assert read.headers[name] == value
    assert read.headers["content-length"] == "7"
    headers.pop("Content-Encoding")
    shop.ok("PUT", "models/a/b", content=b"content", headers=headers)
    read = shop.ok("GET", "models/a/b", by="operator")
    assert (read.content, read.headers["etag"]) == (b"content", etag)
    assert "sandbox" in read.headers["content-security-policy"]
    assert shop.ok("DELETE", "models/a/b").status_code == 204
    assert shop.error("GET", "models/a/b")[:2] == (404, "NoSuchKey")
    assert shop.call("HEAD", "models/a/b").content == b""
    assert shop.ok("DELETE", "models/a/b").status_code == 204


def test_putting_into_a_bucket_that_is_not_there_makes_it_and_reading_does_not(shop):
    assert shop.error("GET", "models/a")[:2] == (404, "NoSuchBucket")
    assert shop.error("DELETE", "models/a")[:2] == (404, "NoSuchBucket")
    assert shop.error("GET", "models", query="list-type=2")[:2] == (404, "NoSuchBucket")
    shop.ok("PUT", "models/a", content=b"x")
    assert shop.ok("HEAD", "models").status_code == 200


def test_parts_and_conditions(shop):
    etag = shop.ok("PUT", "models/a", content=b"0123456789").headers["etag"]
    read = shop.ok("GET", "models/a", headers={"Range": "bytes=-4"})
    assert (read.status_code, read.content) == (206, b"6789")
    assert read.headers["content-range"] == "bytes 6-9/10"
    assert shop.error("GET", "models/a", headers={"Range": "bytes=10-"})[:2] == (
        416,
        "InvalidRange",
    )
    for method in ("GET", "HEAD"):
        assert shop.call(method, "models/a", headers={"If-None-Match": etag}).status_code == 304
        assert shop.call(method, "models/a", headers={"If-Match": '"x"'}).status_code == 412
    assert shop.error("GET", "models/a", headers={"If-Match": '"x"'})[1] == "PreconditionFailed"


def test_the_query_may_say_which_headers_the_answer_has(shop):
    shop.ok("PUT", "models/a", content=b"x")
    query = (
        "response-content-type=text/plain&response-content-disposition=attachment&x-id=GetObject"
    )
    read = shop.ok("GET", "models/a", query=query)
    assert read.headers["content-type"] == "text/plain"
    assert read.headers["content-disposition"] == "attachment"


@pytest.mark.parametrize("value", ["a%0d%0aSet-Cookie:%20x=y", "a%00", "%C3%BC", "%F0%9F%9A%97"])
def test_the_query_cannot_put_headers_of_its_own_into_the_answer(shop, value):
    shop.ok("PUT", "models/a", content=b"x")
    query = f"response-content-disposition={value}"
    assert shop.error("GET", "models/a", query=query)[:2] == (400, "InvalidArgument")


def test_a_reader_may_ask_for_a_sum_of_the_whole(shop):
    shop.ok("PUT", "models/a", content=b"content")
    headers = {"x-amz-checksum-mode": "ENABLED"}
    read = shop.ok("GET", "models/a", headers=headers)
    digest = base64.b64decode(read.headers["x-amz-checksum-sha256"])
    assert digest == hashlib.sha256(b"content").digest()
    part = shop.ok("GET", "models/a", headers={**headers, "Range": "bytes=0-1"})
    assert "x-amz-checksum-sha256" not in part.headers


KEYS = [
    "a b",
    "ü/ñ",
    "a+b&c=d",
    "100%",
    "a?b#c",
    '<"&>',
    "a\tb",
    "日本語/モデル.tar.gz",
    "~-_.!*'()",
    "x" * 255,
]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_a_key_of_any_kind_is_the_same_on_all_ways(shop, key):
    shop.ok("PUT", f"models/{key}", content=key.encode())
    assert keys(shop) == [key]
    assert shop.ok("GET", f"models/{key}").content == key.encode()
    listed = shop.read("GET", "models", "ListBucketResult", query="list-type=2")
    assert listed.all("Contents")[0].value("Key") == key
    body = f"<Delete><Object><Key>{''.join(f'&#{ord(c)};' for c in key)}</Key></Object></Delete>"
    headers = {"Content-MD5": md5(body.encode())}
    shop.ok("POST", "models", query="delete", content=body, headers=headers)
    assert keys(shop) == []


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("models/../x", 400, "InvalidArgument"),
        ("models/a/./b", 400, "InvalidArgument"),
        ("models/a//b", 400, "InvalidArgument"),
        ("models/" + "x" * 1025, 400, "KeyTooLongError"),
        ("models/a\0b", 400, "InvalidArgument"),
        ("../x", 400, "InvalidArgument"),
        ("Models/x", 400, "InvalidArgument"),
        (".uploads/x", 400, "InvalidArgument"),
    ],
)
def test_an_address_that_can_be_none_is_refused_and_never_there(shop, address, status, code):
    assert shop.error("PUT", address, content=b"x")[:2] == (status, code)
    shop.objects.make_bucket("models")
    if code != "KeyTooLongError":
        assert shop.error("GET", address)[0] == 404


@pytest.mark.parametrize("path", ["/s3/models/%ff", "/s3/%ff"])
def test_an_address_that_is_not_utf_8_is_refused(shop, path):
    answer = shop.world.call("GET", path, by="admin")
    assert (answer.status_code, b"InvalidURI" in answer.content) == (400, True)


# -- bodies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, "BadDigest"),
        ({"Content-MD5": "x"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-sha1": "AAAA"}, "InvalidRequest"),
        ({"x-amz-checksum-sha1": "!"}, "InvalidRequest"),
        ({"Content-MD5": "YWJyYWNhZGFicmE="}, "InvalidDigest"),
        ({"x-amz-checksum-new": "AAAA"}, "InvalidRequest"),
        ({"x-amz-content-sha256": "0" * 64}, "XAmzContentSHA256Mismatch"),
        ({"x-amz-content-sha256": "word"}, "XAmzContentSHA256Mismatch"),
        ({"x-amz-meta-a": "x" * 3000}, "MetadataTooLarge"),
    ],
    ids=range(10),
)
def test_a_body_that_is_not_what_its_headers_say_is_not_stored(shop, headers, code):
    shop.ok("PUT", "models/a", content=b"old")
    assert shop.error("PUT", "models/a", content=b"content", headers=headers)[:2] == (400, code)
    assert shop.ok("GET", "models/a").content == b"old"


def chunked(*pieces, trailers=()):
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\n" + b"".join(b"%b\r\n" % line for line in trailers) + b"\r\n"


def framing(content, **headers):
    return {
        "x-amz-content-sha256": UNSIGNED_TRAILER,
        "x-amz-decoded-content-length": str(len(content)),
        "Content-Encoding": "aws-chunked",
        **headers,
    }


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_body_in_amazons_chunks_is_stored_without_them(size):
    shop = Shop(object_bytes=3_000_000)
    content = hashlib.shake_128(b"x").digest(size)
    pieces = [content[at : at + 65536] for at in range(0, size, 65536)]
    name = "x-amz-checksum-crc32"
    for told, status in ((crc(content), 200), ("AAAAAQ==", 400)):
        body = chunked(*pieces, trailers=[f"{name}:{told}".encode()])
        headers = framing(content, **{"x-amz-trailer": name})
        answer = shop.call("PUT", f"models/{status}", content=body, headers=headers)
        assert answer.status_code == status
    assert keys(shop) == ["200"]
    read = shop.ok("GET", "models/200")
    assert read.content == content
    assert "content-encoding" not in read.headers


@pytest.mark.parametrize(
    "body",
    [b"5\r\ncontent\r\n0\r\n\r\n", b"7\r\ncont", b"7\r\ncontent\r\n", b"", b"zz\r\n", b"x" * 999],
)
def test_chunks_that_are_broken_leave_nothing(shop, body):
    status, code, _ = shop.error("PUT", "models/a", content=body, headers=framing(b"content"))
    assert (status, code) == (400, "IncompleteBody")
    assert shop.objects.ls("models") == []


@pytest.mark.parametrize("framed", [True, False])
def test_an_object_over_the_limit_is_refused_by_its_length_and_without_it(framed):
    shop = Shop(object_bytes=1000)
    content = bytes(1001)

    async def pieces():
        yield chunked(content) if framed else content

    headers = framing(b"") if framed else {}
    headers.pop("x-amz-decoded-content-length", None)
    for body, more in ((pieces(), headers), (content, {}), (chunked(content), framing(content))):
        error = shop.error("PUT", "models/a", content=body, headers=more)
        assert error[:2] == (400, "EntityTooLarge")
        assert "limits.object_bytes" in error[2]
    assert shop.objects.ls("models") == []


# -- lists --------------------------------------------------------------------------------


@pytest.fixture
def stocked(shop):
    for key in ("a/1", "a/2", "b 1", "c/1", "d"):
        shop.objects.keep("models", key, key.encode())
    return shop


def test_a_list_goes_on_where_the_page_before_ended(stocked):
    seen, token = [], ""
    while True:
        query = (
            f"list-type=2&max-keys=2&continuation-token={token}"
            if token
            else "list-type=2&max-keys=2"
        )
        page = stocked.read("GET", "models", "ListBucketResult", query=query)
        seen += [each.value("Key") for each in page.all("Contents")]
        assert page.value("KeyCount") == str(len(page.all("Contents")))
        token = page.value("NextContinuationToken")
        assert page.value("IsTruncated") == ("true" if token else "false")
        if not token:
            break
    assert seen == ["a/1", "a/2", "b 1", "c/1", "d"]


def names(page):
    return (
        [each.value("Key") for each in page.all("Contents")],
        [each.value("Prefix") for each in page.all("CommonPrefixes")],
    )


def test_a_list_has_prefix_delimiter_start_and_spelling(stocked):
    def ask(query):
        return stocked.read("GET", "models", "ListBucketResult", query=f"list-type=2&{query}")

    assert names(ask("delimiter=/")) == (["b 1", "d"], ["a/", "c/"])
    assert names(ask("prefix=a/&delimiter=/")) == (["a/1", "a/2"], [])
    assert names(ask("start-after=b%201")) == (["c/1", "d"], [])
    assert names(ask("encoding-type=url&prefix=b")) == (["b%201"], [])
    assert names(ask("max-keys=0")) == ([], [])
    assert ask("fetch-owner=true").all("Contents")[0].all("Owner")
    assert ask("max-keys=99999").value("MaxKeys") == "1000"


def test_older_tools_get_the_first_version(stocked):
    page = stocked.read("GET", "models", "ListBucketResult", query="max-keys=2&delimiter=/")
    assert names(page) == (["b 1"], ["a/"])
    page = stocked.read(
        "GET", "models", "ListBucketResult", query=f"marker={page.value('NextMarker')}"
    )
    assert names(page) == (["c/1", "d"], [])


@pytest.mark.parametrize(
    "query",
    [
        "max-keys=x",
        "max-keys=-1",
        "max-keys=9999999999",
        "list-type=2&continuation-token=!",
        "encoding-type=xml",
    ],
)
def test_an_unusable_argument_is_refused(stocked, query):
    assert stocked.error("GET", "models", query=query)[:2] == (400, "InvalidArgument")


# -- buckets ------------------------------------------------------------------------------


def test_buckets_are_made_listed_and_deleted(shop):
    body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
    assert shop.ok("PUT", "one", content=body).headers["location"] == "/one"
    shop.ok("PUT", "one")
    shop.ok("PUT", "two/key", content=b"x")
    for address in ("", "/"):
        listed = shop.world.call("GET", f"/s3{address}", by="operator")
        assert listed.content.count(b"<Name>") == 2
    page = shop.read("GET", "", "ListAllMyBucketsResult", query="max-buckets=1")
    query = f"continuation-token={page.value('ContinuationToken')}"
    page = shop.read("GET", "", "ListAllMyBucketsResult", query=query)
    assert page.all("Buckets")[0].all("Bucket")[0].value("Name") == "two"
    for region, count in (("us-east-1", 2), ("eu-west-1", 0)):
        page = shop.read("GET", "", "ListAllMyBucketsResult", query=f"bucket-region={region}")
        assert len(page.all("Buckets")[0].all("Bucket")) == count
    assert shop.read("GET", "one", "LocationConstraint", query="location").text == ""
    assert shop.error("DELETE", "two")[:2] == (409, "BucketNotEmpty")
    assert shop.ok("DELETE", "one").status_code == 204
    assert shop.error("DELETE", "one")[:2] == (404, "NoSuchBucket")
    assert shop.call("HEAD", "one").status_code == 404


@pytest.mark.parametrize("name", ["no", "Upper", "a..b", "-ab", "x" * 64, "10.0.0.1"])
def test_an_unusable_bucket_name_is_refused(shop, name):
    assert shop.error("PUT", name)[:2] == (400, "InvalidBucketName")


def test_hostile_xml_is_refused_everywhere(shop):
    shop.ok("PUT", "models/a", content=b"x")
    bomb = (
        b'<!DOCTYPE x [<!ENTITY e "e">]><CreateBucketConfiguration>&e;</CreateBucketConfiguration>'
    )
    assert shop.error("PUT", "new", content=bomb)[:2] == (400, "MalformedXML")
    for body in (
        bomb,
        b"<Delete/>",
        b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>",
    ):
        headers = {"Content-MD5": md5(body)}
        error = shop.error("POST", "models", query="delete", content=body, headers=headers)
        assert error[:2] == (400, "MalformedXML")
    big = b"<Delete>" + b" " * 9_000_000
    headers = {"Content-MD5": md5(big)}
    error = shop.error("POST", "models", query="delete", content=big, headers=headers)
    assert error[:2] == (400, "MaxMessageLengthExceeded")
    error = shop.error("POST", "models", query="delete", content=b"<Delete/>")
    assert error[:2] == (400, "InvalidRequest")
    assert keys(shop) == ["a"]


def test_many_are_deleted_at_once(stocked):
    def delete(body):
        headers = {"x-amz-checksum-crc32": crc(body)}
        return stocked.read(
            "POST", "models", "DeleteResult", query="delete", content=body, headers=headers
        )

    told = delete(
        b"<Delete><Object><Key>a/1</Key></Object><Object><Key>a/../x</Key></Object></Delete>"
    )
    assert [each.value("Key") for each in told.all("Deleted")] == ["a/1", "a/../x"]
    body = b"<Delete><Object><Key>d</Key><VersionId>1</VersionId></Object></Delete>"
    headers = {"Content-MD5": md5(body)}
    error = stocked.error("POST", "models", query="delete", content=body, headers=headers)
    assert error[:2] == (501, "NotImplemented")
    assert "VersionId" in error[2]
    told = delete(b"<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>")
    assert told.children == []
    assert keys(stocked) == ["a/2", "b 1", "c/1"]


# -- copies -------------------------------------------------------------------------------


def copy(shop, source, target, **headers):
    return shop.call("PUT", target, headers={"x-amz-copy-source": source, **headers})


def test_an_object_is_copied_with_what_was_said_of_it(shop):
    said = {"Content-Type": "text/csv", "x-amz-meta-a": "1"}
    etag = shop.ok("PUT", "models/a b", content=b"content", headers=said).headers["etag"]
    answer = copy(shop, "/models/a%20b", "other/c")
    assert answer.status_code == 200
    assert etag.encode().replace(b'"', b"&quot;") in answer.content
    read = shop.ok("GET", "other/c")
    assert (read.content, read.headers["x-amz-meta-a"]) == (b"content", "1")
    copy(
        shop,
        "models/a%20b",
        "other/c",
        **{"x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2"},
    )
    read = shop.ok("GET", "other/c")
    assert "x-amz-meta-a" not in read.headers
    assert read.headers["x-amz-meta-b"] == "2"


def test_a_copy_that_cannot_be_made_is_refused(shop):
    etag = shop.ok("PUT", "models/a", content=b"x").headers["etag"]

    def refused(source, target="models/b", **headers):
        answer = copy(shop, source, target, **headers)
        assert "b" not in keys(shop)
        return answer.status_code, answer.text.partition("<Code>")[2].partition("<")[0]

    assert refused("models/none") == (404, "NoSuchKey")
    assert refused("none/a") == (404, "NoSuchBucket")
    assert refused("models") == (400, "InvalidArgument")
    assert refused("models/a?versionId=3") == (501, "NotImplemented")
    assert refused("models/a", "models/a") == (400, "InvalidRequest")
    assert refused("models/a", **{"x-amz-copy-source-if-match": "x"}) == (412, "PreconditionFailed")
    assert refused("models/a", **{"x-amz-copy-source-if-none-match": etag}) == (
        412,
        "PreconditionFailed",
    )
    assert refused("models/a", **{"x-amz-metadata-directive": "X"}) == (400, "InvalidArgument")


# -- what is not here ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "address", "query", "named"),
    [
        ("GET", "models", "versioning", "GetBucketVersioning"),
        ("PUT", "models", "versioning", "PutBucketVersioning"),
        ("GET", "models", "acl", "GetBucketAcl"),
        ("PUT", "models/a", "acl", "PutObjectAcl"),
        ("GET", "models", "versions", "ListObjectVersions"),
        ("GET", "models", "policy", "GetBucketPolicy"),
        ("PUT", "models", "notification", "PutBucketNotificationConfiguration"),
        ("PUT", "models/a", "tagging", "PutObjectTagging"),
        ("DELETE", "models/a", "tagging", "DeleteObjectTagging"),
        ("GET", "models/a", "torrent", "GetObjectTorrent"),
        ("POST", "models/a", "select&select-type=2", "SelectObjectContent"),
        ("POST", "models/a", "restore", "RestoreObject"),
        ("DELETE", "models", "lifecycle", "DeleteBucketLifecycle"),
        ("GET", "models/a", "versionId=1", "GetObject with the parameter versionId"),
        ("DELETE", "models/a", "versionId=1", "DeleteObject with the parameter versionId"),
        ("GET", "models", "unheard-of", "ListObjects with the parameter unheard-of"),
    ],
)
def test_a_sub_resource_is_never_taken_for_the_resource(stocked, method, address, query, named):
    before = keys(stocked)
    status, code, text = stocked.error(method, address, query=query)
    assert (status, code) == (501, "NotImplemented")
    assert text.startswith(f"{named} is not implemented here. Spoken here are ListBuckets, ")
    assert keys(stocked) == before


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("x-amz-server-side-encryption", "aws:kms:dsse", 501),
        ("x-amz-server-side-encryption-aws-kms-key-id", "mine", 501),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256", 501),
        ("x-amz-server-side-encryption", "aws:kms", 200),
        ("x-amz-server-side-encryption", "AES256", 200),
        ("x-amz-acl", "public-read", 501),
        ("x-amz-grant-read", "id=1", 501),
        ("x-amz-storage-class", "GLACIER", 501),
        ("x-amz-tagging", "a=b", 501),
        ("x-amz-object-lock-mode", "COMPLIANCE", 501),
        ("if-none-match", "*", 501),
        ("x-amz-expected-bucket-owner", "123456789012", 403),
        ("x-amz-expected-bucket-owner", "000000000000", 200),
        ("x-amz-acl", "private", 200),
        ("x-amz-storage-class", "STANDARD", 200),
    ],
)
def test_a_header_that_asks_for_what_is_not_here_is_refused_by_name(shop, name, value, status):
    answer = shop.call("PUT", "models/a", content=b"x", headers={name: value})
    assert answer.status_code == status
    if status != 200:
        assert name in answer.text


@pytest.mark.parametrize(
    ("method", "address"),
    [("POST", "models"), ("PATCH", "models/a"), ("OPTIONS", ""), ("TRACE", "models/a")],
)
def test_a_method_that_is_none_is_refused(shop, method, address):
    assert shop.error(method, address)[:2] == (405, "MethodNotAllowed")


def test_every_operation_is_named_as_amazon_names_it():
    described = {name for name, _, _, _ in operations._described()}
    assert {each.name for each in operations.OPERATIONS} <= described


# -- who may ------------------------------------------------------------------------------

CALLS = {
    "ListBuckets": ("GET", "", ""),
    "CreateBucket": ("PUT", "new", ""),
    "HeadBucket": ("HEAD", "models", ""),
    "DeleteBucket": ("DELETE", "models", ""),
    "GetBucketLocation": ("GET", "models", "location"),
    "ListObjectsV2": ("GET", "models", "list-type=2"),
    "ListObjects": ("GET", "models", ""),
    "PutObject": ("PUT", "models/new", ""),
    "CopyObject": ("PUT", "models/copy", ""),
    "GetObject": ("GET", "models/d", ""),
    "HeadObject": ("HEAD", "models/d", ""),
    "GetObjectTagging": ("GET", "models/d", "tagging"),
    "DeleteObject": ("DELETE", "models/d", ""),
    "DeleteObjects": ("POST", "models", "delete"),
    "CreateMultipartUpload": ("POST", "models/d", "uploads"),
    "UploadPart": ("PUT", "models/d", "partNumber=1&uploadId=u"),
    "UploadPartCopy": ("PUT", "models/d", "partNumber=1&uploadId=u"),
    "CompleteMultipartUpload": ("POST", "models/d", "uploadId=u"),
    "AbortMultipartUpload": ("DELETE", "models/d", "uploadId=u"),
    "ListParts": ("GET", "models/d", "uploadId=u"),
    "ListMultipartUploads": ("GET", "models", "uploads"),
}
READS = {
    "ListBuckets", "HeadBucket", "GetBucketLocation", "ListObjectsV2", "ListObjects", "GetObject",
    "HeadObject", "GetObjectTagging", "ListParts", "ListMultipartUploads",
}  # fmt: skip


def test_the_table_is_whole():
    assert list(CALLS) == [each.name for each in operations.OPERATIONS]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("by", [None, "limited", "invoker", "operator", "admin", "nobody"])
def test_reading_needs_an_operator_and_writing_an_admin(stocked, name, by):
    method, address, query = CALLS[name]
    headers = {"x-amz-copy-source": "models/d"} if "Copy" in name else {}
    before = keys(stocked), stocked.objects.buckets(), stocked.parts.buckets()
    answer = stocked.call(method, address, query=query, by=by, headers=headers)
    enough = by == "admin" or (by == "operator" and name in READS)
    assert (answer.status_code == 403) != enough
    if not enough:
        assert (keys(stocked), stocked.objects.buckets(), stocked.parts.buckets()) == before


def test_without_tokens_everybody_but_a_foreign_page_may():
    shop = Shop(auth=False)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=any/20260301/r/s3/aws4_request"}
    shop.ok("PUT", "models/a", by=None, content=b"x", headers=signed)
    page = {"Origin": "https://evil.example", "Host": "localhost:8700"}
    assert shop.error("GET", "models/a", by=None, headers=page)[:2] == (403, "AccessDenied")


def test_a_bug_is_told_by_its_id_and_in_xml(shop, monkeypatch, caplog):
    def break_down():
        raise RuntimeError("secret inside")

    monkeypatch.setattr(shop.objects, "buckets", break_down)
    status, code, text = shop.error("GET", "")
    assert (status, code) == (500, "InternalError")
    assert "secret" not in text
    assert text.rpartition(" ")[2].rstrip(".") in caplog.text


def test_the_doors_are_not_in_the_openapi_document():
    paths = create_app(None).openapi()["paths"]
    assert not [path for path in paths if path.startswith(("/s3", "/sts"))]
