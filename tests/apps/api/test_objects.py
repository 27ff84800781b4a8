"""Objects: streamed in, whole or not at all, and streamed out."""

import base64
import hashlib
import http.client
import io
import socket
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from parkade.adapters.folder.objects import FolderObjects
from parkade.adapters.memory.objects import MemoryObjects
from tests.apps.api.world import SECRETS, World, served
from tests.house import PATIENCE, wait_for

ADMIN = {"Authorization": SECRETS["admin"]}


def test_an_object_is_put_read_described_listed_and_deleted(world):
    content = bytes(range(256)) * 100
    etag = hashlib.sha256(content).hexdigest()
    answer = world.call("PUT", "/v1/objects/models/a/b.tar.gz", content=content, by="admin")
    assert answer.status_code == 201
    stored = {"bucket": "models", "key": "a/b.tar.gz", "size": 25600, "etag": etag}
    assert answer.json() == stored
    read = world.call("GET", "/v1/objects/models/a/b.tar.gz")
    assert read.content == content
    described = world.call("HEAD", "/v1/objects/models/a/b.tar.gz")
    assert described.content == b""
    for each in (read, described):
        assert each.headers["content-length"] == "25600"
        assert each.headers["etag"] == f'"{etag}"'
        assert each.headers["last-modified"] == "Sun, 01 Mar 2026 12:00:00 GMT"
        assert each.headers["content-type"] == "application/octet-stream"
    assert world.ok("GET", "/v1/objects/models") == {
        "objects": [{**stored, "modified_at": "2026-03-01T12:00:00Z"}],
        "prefixes": [],
        "next": None,
    }
    assert world.call("DELETE", "/v1/objects/models/a/b.tar.gz", by="admin").status_code == 204
    for method in ("GET", "HEAD"):
        assert world.call(method, "/v1/objects/models/a/b.tar.gz").status_code == 404
    assert world.call("DELETE", "/v1/objects/models/a/b.tar.gz", by="admin").status_code == 204


def test_a_list_has_pages_and_a_prefix(world):
    for key in ("a/1", "a/2", "a/3", "b/1"):
        world.objects.keep("models", key, b"x")
    page = world.ok("GET", "/v1/objects/models?prefix=a/&limit=2")
    assert [each["key"] for each in page["objects"]] == ["a/1", "a/2"]
    page = world.ok("GET", f"/v1/objects/models?prefix=a/&after={page['next']}")
    assert [each["key"] for each in page["objects"]] == ["a/3"]
    assert world.ok("GET", "/v1/objects/nothing")["objects"] == []


def test_an_empty_object_is_an_object(world):
    assert world.ok("PUT", "/v1/objects/models/empty", content=b"", by="admin")["size"] == 0
    assert world.call("GET", "/v1/objects/models/empty").content == b""


@pytest.mark.parametrize(
    "path",
    ["models/%2e%2e/x", "models/a//b", "models/%2e/a", "Models/a", "m/a", "models/a%00b", "..x/a"],
)
def test_an_address_that_climbs_or_has_no_form_is_refused(world, path):
    for method, by in (("PUT", "admin"), ("GET", "operator"), ("DELETE", "admin")):
        status, error = world.error(method, f"/v1/objects/{path}", by=by)
        assert (status, error["code"], error["field"]) == (400, "invalid_input", "key")


def test_an_object_over_the_limit_is_refused_by_its_length_before_it_is_sent():
    world = World(object_bytes=1000)
    status, error = world.error("PUT", "/v1/objects/models/a", content=b"x" * 1001, by="admin")
    assert (status, error["code"]) == (413, "too_large")
    assert "limits.object_bytes" in error["hint"]
    assert world.ok("PUT", "/v1/objects/models/a", content=b"x" * 1000, by="admin")["size"] == 1000


def test_an_object_over_the_limit_is_refused_without_its_length():
    world = World(object_bytes=1000)

    async def pieces():
        for _ in range(11):
            yield b"x" * 100

    status, error = world.error("PUT", "/v1/objects/models/a", content=pieces(), by="admin")
    assert (status, error["code"]) == (413, "too_large")
    assert world.objects.ls("models") == []


def test_a_part_of_an_object_is_read(world):
    world.objects.keep("models", "a", b"0123456789")
    answer = world.call("GET", "/v1/objects/models/a", headers={"Range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"2345")
    assert answer.headers["content-range"] == "bytes 2-5/10"
    assert answer.headers["content-length"] == "4"
    answer = world.call("GET", "/v1/objects/models/a", headers={"Range": "bytes=-3"})
    assert (answer.status_code, answer.content) == (206, b"789")
    answer = world.call("HEAD", "/v1/objects/models/a", headers={"Range": "bytes=2-5"})
    assert (answer.status_code, answer.headers["content-length"]) == (206, "4")
    headers = {"Range": "bytes=10-"}
    status, error = world.error("GET", "/v1/objects/models/a", headers=headers)
    assert (status, error["code"]) == (416, "range_not_satisfiable")
    answer = world.call("HEAD", "/v1/objects/models/a", headers=headers)
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")


def test_conditions_spare_what_the_caller_has_and_refuse_what_it_does_not_mean(world):
    etag = world.objects.keep("models", "a", b"content").etag
    for method in ("GET", "HEAD"):
        answer = world.call(method, "/v1/objects/models/a", headers={"If-None-Match": f'"{etag}"'})
        assert (answer.status_code, answer.content) == (304, b"")
        answer = world.call(method, "/v1/objects/models/a", headers={"If-Match": '"other"'})
        assert answer.status_code == 412
    _, error = world.error("GET", "/v1/objects/models/a", headers={"If-Match": '"other"'})
    assert error["code"] == "precondition_failed"
    assert world.call("GET", "/v1/objects/models/a", headers={"If-Match": etag}).is_success


def sums(content):
    digest = hashlib.sha256(content)
    return [
        {"X-Parkade-SHA256": digest.hexdigest()},
        {"Content-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"},
        {"Content-Digest": f"md5=:x:, sha-256=:{base64.b64encode(digest.digest()).decode()}:"},
    ]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_what_arrives_is_compared_with_its_sum(world, number):
    options = {"by": "admin", "headers": sums(b"content")[number]}
    assert world.call("PUT", "/v1/objects/models/a", content=b"content", **options).is_success
    status, error = world.error("PUT", "/v1/objects/models/b", content=b"c0ntent", **options)
    assert (status, error["code"], error["field"]) == (400, "invalid_input", "body")
    assert [info.key for info in world.objects.ls("models")] == ["a"]


@pytest.mark.parametrize(
    "header",
    [
        {"X-Parkade-SHA256": "abc"},
        {"Content-Digest": "sha-256=:abc:"},
        {"Content-Digest": "sha-256=:!!!:"},
    ],
)
def test_a_sum_that_is_none_is_refused(world, header):
    status, error = world.error("PUT", "/v1/objects/m-1/a", content=b"", by="admin", headers=header)
    assert (status, error["field"]) == (400, next(iter(header)).lower())


def test_the_type_of_an_object_is_told_and_no_browser_takes_it_for_a_page(world):
    headers = {"Content-Type": "text/html"}
    world.ok("PUT", "/v1/objects/models/a", content=b"<b>", by="admin", headers=headers)
    answer = world.call("GET", "/v1/objects/models/a")
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_list_with_a_delimiter_is_like_a_folder(world):
    for key in ("a/1", "a/2", "b", "c/1"):
        world.objects.keep("models", key, b"x")
    page = world.ok("GET", "/v1/objects/models?delimiter=/&limit=2")
    assert ([each["key"] for each in page["objects"]], page["prefixes"]) == (["b"], ["a/"])
    page = world.ok("GET", f"/v1/objects/models?delimiter=/&after={page['next']}")
    assert ([each["key"] for each in page["objects"]], page["prefixes"]) == ([], ["c/"])
    assert page["next"] is None


def test_buckets_are_listed_and_deleted_when_they_are_empty(world):
    for bucket in ("one", "two", "three"):
        world.objects.keep(bucket, "a", b"x")
    page = world.ok("GET", "/v1/objects?limit=2")
    assert [each["name"] for each in page["buckets"]] == ["one", "three"]
    page = world.ok("GET", f"/v1/objects?after={page['next']}")
    assert page["buckets"] == [{"name": "two", "modified_at": "2026-03-01T12:00:00Z"}]
    status, error = world.error("DELETE", "/v1/objects/two", by="admin")
    assert (status, error["code"]) == (409, "in_use")
    world.ok("DELETE", "/v1/objects/two/a", by="admin")
    world.ok("DELETE", "/v1/objects/two", by="admin")
    status, error = world.error("DELETE", "/v1/objects/two", by="admin")
    assert (status, error["code"]) == (404, "bucket_not_found")
    status, error = world.error("DELETE", "/v1/objects/No", by="admin")
    assert (status, error["field"]) == (400, "bucket")


# -- over a socket, onto a disk -----------------------------------------------------------


@contextmanager
def on_disk(tmp_path, **options):
    world = World(**options)
    world.services.objects = FolderObjects(tmp_path / "objects")
    with served(world.app) as url:
        yield world, url


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_large_object_goes_through_in_pieces(tmp_path):
    size = 40 * 1024 * 1024
    piece = bytes(64 * 1024)

    def pieces():
        for _ in range(size // len(piece)):
            yield piece

    with on_disk(tmp_path, object_bytes=size) as (_, url):
        answer = httpx.put(
            f"{url}/v1/objects/models/big", content=pieces(), headers=ADMIN, timeout=PATIENCE
        )
        assert answer.json()["size"] == size
        with httpx.stream(
            "GET", f"{url}/v1/objects/models/big", headers=ADMIN, timeout=PATIENCE
        ) as read:
            got = sum(len(each) for each in read.iter_bytes())
        assert got == size


@pytest.mark.parametrize("chunked", [True, False])
def test_an_upload_that_breaks_off_leaves_nothing(tmp_path, chunked, caplog):
    with on_disk(tmp_path, object_bytes=100 * 1024 * 1024) as (world, url):
        host = urlsplit(url)
        with socket.create_connection((host.hostname, host.port)) as connection:
            framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 50000000"
            connection.sendall(
                f"PUT /v1/objects/models/big HTTP/1.1\r\nHost: x\r\n{framing}\r\n"
                f"Authorization: {SECRETS['admin']}\r\n\r\n".encode()
            )
            piece = b"x" * 1_000_000
            for _ in range(3):
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            wait_for(lambda: any(file.stat().st_size > 1_000_000 for file in files(tmp_path)))
        wait_for(lambda: files(tmp_path) == [], why="the broken upload to be gone")
        assert world.services.objects.ls("models") == []
    assert "bug" not in caplog.text


def test_an_object_that_is_replaced_stays_whole_for_its_readers(tmp_path):
    content = b"a" * 8_000_000
    with on_disk(tmp_path, object_bytes=10_000_000) as (_, url):
        address = f"{url}/v1/objects/models/x"
        httpx.put(address, content=content, headers=ADMIN, timeout=PATIENCE)
        with httpx.stream("GET", address, headers=ADMIN, timeout=PATIENCE) as read:
            pieces = read.iter_bytes(1000)
            first = next(pieces)
            assert (
                httpx.put(address, content=b"b" * 10, headers=ADMIN, timeout=PATIENCE).status_code
                == 201
            )
            assert first + b"".join(pieces) == content
        assert httpx.get(address, headers=ADMIN, timeout=PATIENCE).content == b"b" * 10


def test_other_calls_are_answered_while_an_upload_is_under_way(tmp_path):
    with on_disk(tmp_path) as (_, url):
        host = urlsplit(url)
        upload = http.client.HTTPConnection(host.hostname, host.port)
        upload.putrequest("PUT", "/v1/objects/models/slow")
        upload.putheader("Authorization", SECRETS["admin"])
        upload.putheader("Content-Length", "10")
        upload.endheaders(b"12345")
        assert httpx.get(f"{url}/v1/health/live", timeout=PATIENCE).status_code == 200
        upload.send(b"67890")
        assert upload.getresponse().status == 201
        upload.close()


class Watched(MemoryObjects):
    """Objects that remember whether their file was closed, and who used the disk."""

    def __init__(self, clock):
        super().__init__(clock)
        self.files = []
        self.threads = set()

    def fetch(self, bucket, key):
        self.threads.add(threading.current_thread())
        info, file = super().fetch(bucket, key)
        self.files.append(file)
        return info, file


def test_a_reader_that_goes_away_leaves_no_file_open(world):
    objects = world.services.objects = Watched(world.clock)
    objects.keep("models", "big", bytes(64 * 1024 * 1024))
    with served(world.app) as url:
        with httpx.stream(
            "GET", f"{url}/v1/objects/models/big", headers=ADMIN, timeout=PATIENCE
        ) as read:
            next(read.iter_bytes(1000))
        wait_for(lambda: all(file.closed for file in objects.files), why="the file to be closed")
    assert len(objects.files) == 1
    assert threading.main_thread() not in objects.threads
    assert all(isinstance(file, io.BytesIO) for file in objects.files)
