"""The contract of the objects."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from parkade.adapters.aws.s3.objects import S3Objects
from parkade.adapters.folder.objects import FolderObjects
from parkade.adapters.memory.objects import MemoryObjects
from parkade.adapters.system.clock import SystemClock
from parkade.domain.errors import BucketNotFound, InUse, InvalidInput, ObjectNotFound


@pytest.fixture(params=["memory", "folder", "s3"])
def objects(request, tmp_path):
    if request.param == "memory":
        yield MemoryObjects(SystemClock())
    elif request.param == "folder":
        yield FolderObjects(tmp_path / "objects")
    else:
        yield from in_s3(S3Objects(request.getfixturevalue("aws")))


def in_s3(objects):
    """Give an account that has no other bucket than what the test puts there."""
    others = {bucket.name for bucket in objects.buckets()}
    known = objects.buckets
    objects.buckets = lambda: [each for each in known() if each.name not in others]
    yield objects
    for bucket in objects.buckets():
        for info in objects.ls(bucket.name):
            objects.delete(bucket.name, info.key)
        objects.remove_bucket(bucket.name)


def put(objects, key, content=b"content", bucket="models"):
    with objects.writer(bucket, key) as writer:
        writer.write(content)
        return writer.commit()


def read(objects, key, bucket="models"):
    with objects.open(bucket, key) as file:
        return file.read()


def keys(objects, prefix="", bucket="models"):
    return [info.key for info in objects.ls(bucket, prefix)]


def test_what_was_written_in_pieces_is_read_whole(objects):
    with objects.writer("models", "a/b.tar.gz") as writer:
        for piece in (b"one ", b"", b"two ", b"three"):
            writer.write(piece)
        writer.commit()
    assert read(objects, "a/b.tar.gz") == b"one two three"


def test_commit_and_stat_and_ls_describe_the_object_alike(objects):
    before = SystemClock().now().replace(microsecond=0)
    info = put(objects, "key", b"content")
    assert (info.bucket, info.key, info.size) == ("models", "key", 7)
    assert info.etag == hashlib.sha256(b"content").hexdigest()
    assert info.modified_at >= before
    assert info.modified_at.utcoffset().total_seconds() == 0
    assert objects.stat("models", "key") == info
    assert objects.ls("models") == [info]


def test_an_empty_object_is_an_object(objects):
    with objects.writer("models", "empty") as writer:
        assert writer.commit().size == 0
    assert read(objects, "empty") == b""


def test_nothing_is_visible_before_the_commit(objects):
    with objects.writer("models", "key") as writer:
        writer.write(b"half")
        with pytest.raises(ObjectNotFound):
            objects.stat("models", "key")
        assert objects.ls("models") == []
        writer.commit()
    assert keys(objects) == ["key"]


def test_an_older_object_is_there_until_the_commit_replaces_it(objects):
    put(objects, "key", b"old")
    with objects.writer("models", "key") as writer:
        writer.write(b"new")
        assert read(objects, "key") == b"old"
        writer.commit()
    assert read(objects, "key") == b"new"
    assert objects.stat("models", "key").etag == hashlib.sha256(b"new").hexdigest()


def test_leaving_without_commit_leaves_nothing_behind(objects):
    with objects.writer("models", "key") as writer:
        writer.write(b"half")
    with pytest.raises(ObjectNotFound):
        objects.open("models", "key")


def test_an_error_while_writing_leaves_nothing_behind(objects):
    def upload():
        with objects.writer("models", "key") as writer:
            writer.write(b"half")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        upload()
    with pytest.raises(ObjectNotFound):
        objects.open("models", "key")


def test_nothing_can_be_written_after_the_commit(objects):
    with objects.writer("models", "key") as writer:
        writer.commit()
        with pytest.raises(ValueError, match="closed"):
            writer.write(b"more")
    assert read(objects, "key") == b""


def test_a_later_put_does_not_change_what_is_read(objects):
    put(objects, "key", b"old")
    with objects.open("models", "key") as file:
        put(objects, "key", b"newer")
        assert file.read() == b"old"
    assert read(objects, "key") == b"newer"


def test_a_delete_does_not_change_what_is_read(objects):
    put(objects, "key", b"old")
    with objects.open("models", "key") as file:
        objects.delete("models", "key")
        assert file.read() == b"old"


def test_what_is_not_there_is_not_found(objects):
    put(objects, "there/key")
    for key in ("other", "there", "there/key/below"):
        for ask in (objects.open, objects.stat):
            with pytest.raises(ObjectNotFound, match=f"s3://models/{key}"):
                ask("models", key)
    with pytest.raises(ObjectNotFound):
        objects.stat("other-bucket", "there/key")


def test_ls_describes_the_objects_under_a_prefix_in_the_order_of_keys(objects):
    for key in ("b", "a/2", "a-1", "a/1/deep", "ab"):
        put(objects, key)
    assert keys(objects) == ["a-1", "a/1/deep", "a/2", "ab", "b"]
    assert keys(objects, "a/") == ["a/1/deep", "a/2"]
    assert keys(objects, "a") == ["a-1", "a/1/deep", "a/2", "ab"]
    assert keys(objects, "../") == []


def test_ls_of_a_bucket_that_is_not_there_is_empty(objects):
    assert keys(objects, bucket="nothing") == []


def test_buckets_are_apart(objects):
    put(objects, "key", b"1", bucket="one")
    put(objects, "key", b"2", bucket="two")
    assert read(objects, "key", bucket="one") == b"1"
    assert len(objects.ls("one")) == 1


def test_deleting_again_counts_as_done(objects):
    put(objects, "a/b")
    for _ in range(2):
        objects.delete("models", "a/b")
    assert keys(objects) == []
    objects.delete("nothing", "key")


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("models", "../key"),
        ("models", "a/../../key"),
        ("models", "/etc/passwd"),
        ("models", "a//b"),
        ("models", "."),
        ("models", "a\0b"),
        ("models", ""),
        ("models", "x" * 1025),
        ("..", "key"),
        (".incoming", "key"),
        ("models/a", "key"),
        ("", "key"),
    ],
)
def test_an_address_that_could_leave_its_place_is_refused(objects, bucket, key):
    with pytest.raises(InvalidInput), objects.writer(bucket, key):
        pytest.fail("it was taken")


def test_of_many_writers_of_one_key_each_is_whole(objects):
    contents = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        infos = list(pool.map(lambda content: put(objects, "a/b/key", content), contents))
    assert [info.etag for info in infos] == [hashlib.sha256(c).hexdigest() for c in contents]
    assert read(objects, "a/b/key") in contents
    assert objects.stat("models", "a/b/key") in infos


def test_writers_and_deleters_of_one_key_do_not_disturb_each_other(objects):
    def work(number):
        if number % 2:
            objects.delete("models", "a/b/key")
        else:
            put(objects, "a/b/key")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    put(objects, "a/b/key", b"last")
    assert read(objects, "a/b/key") == b"last"


def test_what_the_writer_said_of_an_object_is_told_with_it(objects):
    said = {"content-type": "text/csv", "x-amz-meta-owner": "ann"}
    with objects.writer("models", "key", said) as writer:
        writer.write(b"content")
        assert writer.digest() == hashlib.sha256(b"content").hexdigest()
        info = writer.commit()
    assert info.headers == said
    assert objects.stat("models", "key") == info
    assert objects.ls("models") == [info]
    put(objects, "key", b"other")
    assert objects.stat("models", "key").headers == {}


def test_what_is_fetched_is_what_is_described(objects):
    old = put(objects, "key", b"old")
    info, file = objects.fetch("models", "key")
    with file:
        put(objects, "key", b"newer")
        assert info == old
        assert file.read() == b"old"
    with pytest.raises(ObjectNotFound):
        objects.fetch("models", "other")


def test_a_page_ends_at_its_limit_and_tells_where_to_go_on(objects):
    for number in range(7):
        put(objects, f"a/{number}")
    put(objects, "b")
    seen, after = [], ""
    for length in (3, 3, 1):
        page = objects.page("models", "a/", after=after, limit=3)
        assert len(page.objects) == length
        seen += [info.key for info in page.objects]
        after = page.following
    assert after == ""
    assert seen == [f"a/{number}" for number in range(7)]
    assert objects.page("models", "a/", limit=7).following == ""
    assert objects.page("models", "x", limit=7).objects == []


def test_a_page_with_a_delimiter_tells_what_keys_have_in_common(objects):
    for key in ("a/1", "a/2", "a/b/3", "a-", "b", "c/1", "c/d/1"):
        put(objects, key)
    page = objects.page("models", delimiter="/", limit=10)
    assert [info.key for info in page.objects] == ["a-", "b"]
    assert list(page.prefixes) == ["a/", "c/"]
    page = objects.page("models", "a/", delimiter="/", limit=10)
    assert [info.key for info in page.objects] == ["a/1", "a/2"]
    assert list(page.prefixes) == ["a/b/"]
    names, after = [], ""
    while True:
        page = objects.page("models", delimiter="/", after=after, limit=1)
        names += [*(info.key for info in page.objects), *page.prefixes]
        after = page.following
        if not after:
            break
    assert names == ["a-", "a/", "b", "c/"]


def buckets(objects):
    return [bucket.name for bucket in objects.buckets()]


def test_buckets_are_made_listed_and_removed(objects):
    assert buckets(objects) == []
    put(objects, "a/b")
    for _ in range(2):
        objects.make_bucket("empty-one")
    assert buckets(objects) == ["empty-one", "models"]
    assert all(bucket.modified_at.utcoffset() is not None for bucket in objects.buckets())
    with pytest.raises(InUse, match="models"):
        objects.remove_bucket("models")
    objects.delete("models", "a/b")
    assert buckets(objects) == ["empty-one", "models"]
    for bucket in ("models", "empty-one"):
        objects.remove_bucket(bucket)
        with pytest.raises(BucketNotFound, match=bucket):
            objects.remove_bucket(bucket)
    assert buckets(objects) == []
    put(objects, "a/b")
    assert keys(objects) == ["a/b"]


@pytest.mark.parametrize("bucket", ["", "..", "a/b", ".meta", "UPPER", "no", "x" * 64, "a..b"])
def test_what_can_be_no_bucket_is_refused(objects, bucket):
    for ask in (objects.make_bucket, objects.remove_bucket):
        with pytest.raises(InvalidInput):
            ask(bucket)
