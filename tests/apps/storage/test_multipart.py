"""Uploads in parts: whole at the end, or not there; across restarts; never twice."""

import asyncio
import base64
import hashlib
import threading
import zlib
from datetime import timedelta
from types import SimpleNamespace

import pytest

from parkade.adapters.folder.objects import FolderObjects
from parkade.apps.storage import call as calls
from parkade.apps.storage import multipart, uploads, xml
from tests.apps.storage.shop import Shop

MIB = 1024**2
NAME = "models/big"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(multipart, "_LEAST", 10)


def begin(shop, address=NAME, **options):
    told = shop.read("POST", address, "InitiateMultipartUploadResult", query="uploads", **options)
    return told.value("UploadId")


def put(shop, upload, number, content, address=NAME, **options):
    query = f"partNumber={number}&uploadId={upload}"
    return shop.ok("PUT", address, query=query, content=content, **options).headers["etag"]


def listing(parts):
    rows = (
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{''.join(rows)}</CompleteMultipartUpload>"


def complete(shop, upload, parts, address=NAME, **options):
    return shop.call("POST", address, query=f"uploadId={upload}", content=listing(parts), **options)


def refused(answer):
    return answer.status_code, xml.read(answer.content, "Error").value("Code")


def test_parts_sent_in_any_order_become_one_object(shop):
    upload = begin(shop, headers={"Content-Type": "text/csv", "x-amz-meta-a": "1"})
    etags = {number: put(shop, upload, number, str(number).encode() * 10) for number in (3, 1, 2)}
    assert shop.objects.ls("models") == []
    answer = complete(shop, upload, sorted(etags.items()))
    assert answer.status_code == 200
    read = shop.ok("GET", NAME)
    assert read.content == b"1" * 10 + b"2" * 10 + b"3" * 10
    assert read.headers["content-type"] == "text/csv"
    assert read.headers["x-amz-meta-a"] == "1"
    told = xml.read(answer.content, "CompleteMultipartUploadResult")
    assert told.value("ETag") == read.headers["etag"]
    assert (told.value("Bucket"), told.value("Key")) == ("models", "big")


def test_completing_again_gives_the_same_answer_and_changes_nothing(shop):
    upload = begin(shop)
    parts = [(1, put(shop, upload, 1, b"content"))]
    first = complete(shop, upload, parts)
    shop.ok("PUT", NAME, content=b"newer")
    assert complete(shop, upload, parts).content == first.content
    assert shop.ok("GET", NAME).content == b"newer"
    for method, query in (("GET", ""), ("DELETE", ""), ("PUT", "partNumber=1&")):
        error = shop.error(method, NAME, query=f"{query}uploadId={upload}")
        assert error[:2] == (404, "NoSuchUpload")


def test_a_part_sent_again_takes_the_place_of_the_former(shop):
    upload = begin(shop)
    old = put(shop, upload, 1, b"old")
    new = put(shop, upload, 1, b"new")
    assert refused(complete(shop, upload, [(1, old)])) == (400, "InvalidPart")
    assert complete(shop, upload, [(1, new)]).status_code == 200
    assert shop.ok("GET", NAME).content == b"new"


def test_a_list_of_parts_that_is_wrong_leaves_the_upload_as_it_is(shop):
    upload = begin(shop)
    a, b, small = (
        put(shop, upload, number, size * b"x") for number, size in ((1, 10), (2, 10), (3, 9))
    )
    cases = [
        ([(2, b), (1, a)], "InvalidPartOrder"),
        ([(1, a), (1, a)], "InvalidPartOrder"),
        ([(1, a), (4, b)], "InvalidPart"),
        ([(1, a), (3, small), (9, a)], "InvalidPart"),
        ([(1, "x")], "InvalidPart"),
        ([], "MalformedXML"),
        ([("x", a)], "MalformedXML"),
    ]
    for parts, code in cases:
        assert refused(complete(shop, upload, parts)) == (400, code)
    put(shop, upload, 4, b"more")
    parts = [(1, a), (3, small), (4, put(shop, upload, 4, b"more"))]
    assert refused(complete(shop, upload, parts)) == (400, "EntityTooSmall")
    assert shop.objects.ls("models") == []
    assert complete(shop, upload, [(1, a), (2, b), (3, small)]).status_code == 200


def test_parts_that_together_are_too_large_are_refused():
    shop = Shop(object_bytes=25)
    upload = begin(shop)
    parts = [(number, put(shop, upload, number, bytes(10))) for number in (1, 2, 3)]
    assert refused(complete(shop, upload, parts)) == (400, "EntityTooLarge")
    query = f"partNumber=4&uploadId={upload}"
    assert shop.error("PUT", NAME, query=query, content=bytes(26))[1] == "EntityTooLarge"


def test_the_sum_of_the_whole_is_compared(shop):
    upload = begin(shop)
    parts = [(1, put(shop, upload, 1, b"a" * 10)), (2, put(shop, upload, 2, b"b"))]
    wrong = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "FULL_OBJECT"}
    assert refused(complete(shop, upload, parts, headers=wrong)) == (400, "BadDigest")
    digest = zlib.crc32(b"a" * 10 + b"b").to_bytes(4, "big")
    right = {"x-amz-checksum-crc32": base64.b64encode(digest).decode()}
    assert complete(shop, upload, parts, headers=right).status_code == 200


def test_a_part_whose_sum_is_wrong_is_not_there(shop):
    upload = begin(shop)
    query = f"partNumber=1&uploadId={upload}"
    headers = {"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    error = shop.error("PUT", NAME, query=query, content=b"x", headers=headers)
    assert error[:2] == (400, "BadDigest")
    assert shop.read("GET", NAME, "ListPartsResult", query=f"uploadId={upload}").all("Part") == []


@pytest.mark.parametrize("number", ["0", "10001", "x", "-1", "", "1" * 50])
def test_a_part_has_a_number_from_1_to_10000(shop, number):
    error = shop.error("PUT", NAME, query=f"partNumber={number}&uploadId={begin(shop)}")
    assert error[:2] == (400, "InvalidArgument")


@pytest.mark.parametrize("upload", ["", "u", "../x", "u" + "0" * 32, ".."])
def test_an_upload_that_is_not_there_is_told_so(shop, upload):
    for method in ("GET", "DELETE"):
        error = shop.error(method, NAME, query=f"uploadId={upload}")
        assert error[:2] == (404, "NoSuchUpload")
    assert refused(complete(shop, upload, [(1, "x")])) == (404, "NoSuchUpload")


def test_an_upload_belongs_to_its_key(shop):
    upload = begin(shop)
    query = f"partNumber=1&uploadId={upload}"
    assert shop.error("PUT", "models/other", query=query, content=b"x")[1] == "NoSuchUpload"
    assert shop.error("PUT", "other/big", query=query, content=b"x")[1] == "NoSuchUpload"


def test_an_aborted_upload_leaves_nothing(shop):
    upload = begin(shop)
    put(shop, upload, 1, b"x")
    assert shop.ok("DELETE", NAME, query=f"uploadId={upload}").status_code == 204
    assert shop.error("DELETE", NAME, query=f"uploadId={upload}")[1] == "NoSuchUpload"
    assert shop.parts.buckets() == []


def test_an_address_that_cannot_be_stored_is_refused_at_once(shop):
    assert shop.error("POST", "models/a/../b", query="uploads")[:2] == (400, "InvalidArgument")
    assert shop.error("POST", "Models/a", query="uploads")[0] == 400
    assert shop.parts.buckets() == []


def test_parts_and_uploads_are_listed_in_pages(shop):
    upload = begin(shop)
    for number in (1, 2, 10):
        put(shop, upload, number, b"x" * number)
    page = shop.read("GET", NAME, "ListPartsResult", query=f"uploadId={upload}&max-parts=2")
    assert [each.value("PartNumber") for each in page.all("Part")] == ["1", "2"]
    assert page.value("IsTruncated") == "true"
    query = f"uploadId={upload}&part-number-marker={page.value('NextPartNumberMarker')}"
    page = shop.read("GET", NAME, "ListPartsResult", query=query)
    assert [each.value("Size") for each in page.all("Part")] == ["10"]
    shop.objects.make_bucket("models")
    others = [begin(shop, f"models/{key}") for key in ("a", "c d", "c d")]
    begin(shop, "elsewhere/x")
    seen, marker = [], ""
    while True:
        query = f"uploads&max-uploads=1{marker}"
        page = shop.read("GET", "models", "ListMultipartUploadsResult", query=query)
        seen += [(each.value("Key"), each.value("UploadId")) for each in page.all("Upload")]
        if page.value("IsTruncated") == "false":
            break
        marker = f"&key-marker={page.value('NextKeyMarker')}&upload-id-marker={page.value('NextUploadIdMarker')}"
    keys = ["a", "c d", "c d"]
    assert sorted(seen) == sorted([("big", upload), *zip(keys, others, strict=True)])
    assert [key for key, _ in seen] == ["a", "big", "c d", "c d"]


def test_a_part_is_copied_from_an_object(shop):
    shop.ok("PUT", "models/source", content=b"0123456789abcdef")
    upload = begin(shop)

    def copied(number, **headers):
        query = f"partNumber={number}&uploadId={upload}"
        headers = {"x-amz-copy-source": "models/source", **headers}
        return shop.call("PUT", NAME, query=query, headers=headers)

    ranges = {1: "bytes=0-11", 2: "bytes=12-15"}
    parts = []
    for number, part in ranges.items():
        told = xml.read(
            copied(number, **{"x-amz-copy-source-range": part}).content, "CopyPartResult"
        )
        parts.append((number, told.value("ETag")))
    assert complete(shop, upload, parts).status_code == 200
    assert shop.ok("GET", NAME).content == b"0123456789abcdef"
    for part, code in (("bytes=12-16", "InvalidRange"), ("bytes=3-", "InvalidArgument")):
        again = begin(shop)
        query = f"partNumber=1&uploadId={again}"
        headers = {"x-amz-copy-source": "models/source", "x-amz-copy-source-range": part}
        assert shop.error("PUT", NAME, query=query, headers=headers)[1] == code


# -- time, restarts, and two at once ------------------------------------------------------


def test_parts_outlive_the_process(tmp_path):
    def opened():
        shop = Shop()
        shop.world.services.objects = FolderObjects(tmp_path / "objects")
        shop.world.services.parts = FolderObjects(tmp_path / "uploads")
        return shop

    shop = opened()
    upload = begin(shop)
    first = put(shop, upload, 1, b"a" * 10)
    shop = opened()
    second = put(shop, upload, 2, b"b")
    shop = opened()
    assert complete(shop, upload, [(1, first), (2, second)]).status_code == 200
    shop = opened()
    assert shop.ok("GET", NAME).content == b"a" * 10 + b"b"
    assert complete(shop, upload, [(1, first)]).status_code == 200


def test_what_was_abandoned_is_tidied_after_seven_days(shop):
    old, parts = begin(shop), shop.parts
    put(shop, old, 1, b"x")
    finished = begin(shop)
    complete(shop, finished, [(1, put(shop, finished, 1, b"x"))])
    shop.world.wall.advance(timedelta(days=6))
    young = begin(shop)
    uploads.tidy(parts, shop.world.wall.now())
    assert len(parts.buckets()) == 3
    shop.world.wall.advance(timedelta(days=1, seconds=1))
    uploads.tidy(parts, shop.world.wall.now())
    assert [bucket.name for bucket in parts.buckets()] == [young]
    assert shop.ok("GET", NAME).content == b"x"
    shop.world.wall.advance(timedelta(days=6))
    put(shop, young, 1, b"x")
    shop.world.wall.advance(timedelta(days=2))
    uploads.tidy(parts, shop.world.wall.now())
    assert [bucket.name for bucket in parts.buckets()] == [young]


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b'{"bucket": "models"}'])
def test_an_upload_that_cannot_be_understood_hides_no_other(shop, record):
    shop.objects.make_bucket("models")
    broken, whole = begin(shop), begin(shop)
    shop.parts.keep(broken, "upload", record)
    page = shop.read("GET", "models", "ListMultipartUploadsResult", query="uploads")
    assert [each.value("UploadId") for each in page.all("Upload")] == [whole]
    assert shop.error("GET", NAME, query=f"uploadId={broken}")[1] == "NoSuchUpload"


def test_two_that_complete_at_once_make_it_once_and_are_told_the_same(shop, monkeypatch):
    upload = begin(shop)
    parts = [(1, put(shop, upload, 1, b"content"))]
    made = []
    real = multipart._assembled

    def watched(*arguments):
        made.append(threading.get_ident())
        return real(*arguments)

    monkeypatch.setattr(multipart, "_assembled", watched)

    async def both():
        options = {"headers": {"Authorization": "admin-pass-code-16"}, "content": listing(parts)}
        path = f"/s3/{NAME}?uploadId={upload}"
        return await asyncio.gather(*(shop.world._call("POST", path, **options) for _ in range(4)))

    answers = asyncio.run(both())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(made) == 1


@pytest.mark.parametrize("wrong", [False, True])
def test_an_answer_that_takes_long_is_kept_alive(shop, monkeypatch, wrong):
    monkeypatch.setattr(calls, "PATIENCE", 0.01)
    upload = begin(shop)
    etag = put(shop, upload, 1, b"content")
    go_on, waits = threading.Event(), []
    real = multipart._completed

    async def counted(tasks, **given):
        waits.append(given)
        if len(waits) > 3:
            go_on.set()
        return await asyncio.wait(tasks, **given)

    def slow(*arguments):
        assert go_on.wait(60)
        return real(*arguments)

    monkeypatch.setattr(multipart, "_completed", slow)
    patient = SimpleNamespace(
        ensure_future=asyncio.ensure_future, to_thread=asyncio.to_thread, wait=counted
    )
    monkeypatch.setattr(calls, "asyncio", patient)
    answer = complete(shop, upload, [(1, "other" if wrong else etag)])
    assert answer.status_code == 200
    assert answer.content.startswith(xml.DECLARATION + b"  ")
    if wrong:
        assert xml.read(answer.content, "Error").value("Code") == "InvalidPart"
    else:
        etag = xml.read(answer.content, "CompleteMultipartUploadResult").value("ETag")
        assert etag == f'"{hashlib.sha256(b"content").hexdigest()}"'
