"""boto3 and the AWS CLI against a real server, with what `parkade env --aws` prints."""

import http.client
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.house import PATIENCE, House, house, wait_for

MIB = 1024**2
#: A random piece that does not compress, and is made once.
NOISE = os.urandom(MIB)


def variables(built, *arguments, environment=None):
    command = [sys.executable, "-m", "parkade.apps.cli", "env", "--aws", "--format", "json"]
    printed = subprocess.run(
        [*command, "--state", str(built.state), *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        check=True,
    )
    return json.loads(printed.stdout)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with house(tmp_path_factory.mktemp("s3") / "state") as built:
        built.ok("POST", "/v1/tokens", json={"name": "reader", "role": "operator"})
        built.ok("POST", "/v1/tokens", json={"name": "caller", "role": "invoker"})
        yield built


def client(built, service="s3", **options):
    environment = options.pop("environment", None)
    found = variables(built, *options.pop("arguments", ()), environment=environment)
    return boto3.client(
        service,
        endpoint_url=options.pop("url", found[f"AWS_ENDPOINT_URL_{service.upper()}"]),
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
        region_name=found["AWS_REGION"],
        **options,
    )


@pytest.fixture(scope="module")
def s3(served):
    made = client(served)
    yield made
    made.close()


def code(error):
    return error.value.response["Error"]["Code"]


def empty(s3, bucket):
    """Delete a bucket and all in it."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
    s3.delete_bucket(Bucket=bucket)


# -- boto3 --------------------------------------------------------------------------------


def test_who_one_is(served):
    with_token = client(served, "sts", arguments=("--token", "caller"))
    identity = with_token.get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"].endswith(":assumed-role/parkade-invoker/caller")
    with pytest.raises(ClientError) as error:
        with_token.assume_role(RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="ann")
    assert code(error) == "InvalidAction"
    with_token.close()


def test_the_life_of_an_object(s3):
    s3.create_bucket(Bucket="life", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.get_waiter("bucket_exists").wait(Bucket="life")
    key = "a b/ü+%/日本 & <x>.txt"
    put = s3.put_object(
        Bucket="life", Key=key, Body=b"content", ContentType="text/plain", Metadata={"who": "ann"}
    )
    s3.get_waiter("object_exists").wait(Bucket="life", Key=key)
    read = s3.get_object(Bucket="life", Key=key)
    assert read["Body"].read() == b"content"
    assert (read["ContentType"], read["Metadata"]) == ("text/plain", {"who": "ann"})
    assert read["ETag"] == put["ETag"]
    assert s3.get_object(Bucket="life", Key=key, Range="bytes=2-4")["Body"].read() == b"nte"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="life", Key=key, IfNoneMatch=put["ETag"])
    assert code(error) == "304"
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="life", Key="none")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="none")
    (listed,) = s3.list_objects_v2(Bucket="life")["Contents"]
    assert (listed["Key"], listed["Size"], listed["ETag"]) == (key, 7, put["ETag"])
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket="life")
    assert code(error) == "BucketNotEmpty"
    s3.delete_object(Bucket="life", Key=key)
    s3.get_waiter("object_not_exists").wait(Bucket="life", Key=key)
    s3.delete_bucket(Bucket="life")
    s3.get_waiter("bucket_not_exists").wait(Bucket="life")


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_every_sum_that_boto3_makes_is_taken(s3, algorithm):
    put = s3.put_object(Bucket="sums", Key="key", Body=b"x", ChecksumAlgorithm=algorithm)
    assert put[f"Checksum{algorithm}"]
    with pytest.raises(ClientError) as error:
        s3.put_object(
            Bucket="sums",
            Key="key",
            Body=b"y",
            **{f"Checksum{algorithm}": put[f"Checksum{algorithm}"]},
        )
    assert code(error) == "BadDigest"
    assert s3.get_object(Bucket="sums", Key="key")["Body"].read() == b"x"


def test_the_sums_that_boto3_leaves_to_its_caller_are_taken(s3):
    sums = {"ChecksumCRC32C": "4waSgw==", "ChecksumCRC64NVME": "rosUhgp5mIg="}
    for name, value in sums.items():
        s3.put_object(Bucket="sums", Key="digits", Body=b"123456789", **{name: value})
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket="sums", Key="wrong", Body=b"12345678", **{name: value})
        assert code(error) == "BadDigest"
    assert [
        each["Key"] for each in s3.list_objects(Bucket="sums", Prefix="w").get("Contents", [])
    ] == []


def test_thousands_of_objects_are_listed_in_pages_and_deleted(served, s3):
    folder = served.paths.objects / "many"
    (folder / "deep").mkdir(parents=True)
    for number in range(2500):
        (folder / "deep" / f"{number:05}").write_bytes(b"")
    (folder / "last").write_bytes(b"x")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="many"))
    assert [len(page["Contents"]) for page in pages] == [1000, 1000, 501]
    old = list(
        s3.get_paginator("list_objects").paginate(Bucket="many", PaginationConfig={"PageSize": 700})
    )
    assert [len(page["Contents"]) for page in old] == [700, 700, 700, 401]
    page = s3.list_objects_v2(Bucket="many", Delimiter="/")
    assert [each["Prefix"] for each in page["CommonPrefixes"]] == ["deep/"]
    assert [each["Key"] for each in page["Contents"]] == ["last"]
    empty(s3, "many")
    assert "many" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_a_large_file_goes_up_in_parts_and_comes_down_in_ranges(s3):
    content = NOISE * 20
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(
        io.BytesIO(content), "large", "big", ExtraArgs={"Metadata": {"a": "1"}}, Config=config
    )
    assert s3.head_object(Bucket="large", Key="big")["Metadata"] == {"a": "1"}
    back = io.BytesIO()
    s3.download_fileobj("large", "big", back, Config=config)
    assert back.getvalue() == content
    s3.copy({"Bucket": "large", "Key": "big"}, "large", "copy", Config=config)
    assert (
        s3.head_object(Bucket="large", Key="copy")["ETag"]
        == s3.head_object(Bucket="large", Key="big")["ETag"]
    )
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="large")


def test_parts_that_nobody_completes_are_listed_and_aborted(s3):
    upload = s3.create_multipart_upload(Bucket="large", Key="left")["UploadId"]
    s3.upload_part(Bucket="large", Key="left", UploadId=upload, PartNumber=1, Body=b"x")
    (listed,) = s3.list_multipart_uploads(Bucket="large")["Uploads"]
    assert (listed["Key"], listed["UploadId"]) == ("left", upload)
    (part,) = s3.list_parts(Bucket="large", Key="left", UploadId=upload)["Parts"]
    assert (part["PartNumber"], part["Size"]) == (1, 1)
    s3.abort_multipart_upload(Bucket="large", Key="left", UploadId=upload)
    with pytest.raises(s3.exceptions.NoSuchUpload):
        s3.list_parts(Bucket="large", Key="left", UploadId=upload)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_address_is_good_for_whoever_has_it(served, version):
    s3 = client(served, config=Config(signature_version=version))
    address = s3.generate_presigned_url("put_object", Params={"Bucket": "shared", "Key": "a b"})
    assert httpx.put(address, content=b"by hand", timeout=PATIENCE).status_code == 200
    address = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "shared", "Key": "a b", "ResponseContentType": "text/x"}
    )
    read = httpx.get(address, timeout=PATIENCE)
    assert (read.content, read.headers["content-type"]) == (b"by hand", "text/x")
    assert httpx.get(address.replace("a%20b", "other"), timeout=PATIENCE).status_code == 403
    assert httpx.delete(address, timeout=PATIENCE).status_code == 403
    s3.close()


def test_what_is_not_here_is_named(s3):
    for ask in (s3.get_bucket_versioning, s3.get_bucket_acl, s3.list_object_versions):
        with pytest.raises(
            ClientError, match=r"is not implemented here\. Spoken here are"
        ) as error:
            ask(Bucket="any-bucket")
        assert code(error) == "NotImplemented"


def test_a_token_may_what_its_role_may(served, s3):
    s3.put_object(Bucket="roles", Key="key", Body=b"x")
    reader = client(served, arguments=("--token", "reader"))
    assert reader.get_object(Bucket="roles", Key="key")["Body"].read() == b"x"
    with pytest.raises(ClientError) as error:
        reader.put_object(Bucket="roles", Key="key", Body=b"y")
    assert code(error) == "AccessDenied"
    caller = client(served, arguments=("--token", "caller"))
    with pytest.raises(ClientError) as error:
        caller.get_object(Bucket="roles", Key="key")
    assert code(error) == "AccessDenied"
    wrong = boto3.client(
        "s3",
        endpoint_url=f"{served.url}/s3",
        aws_access_key_id=variables(served)["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="wrong",
        region_name="us-east-1",
    )
    with pytest.raises(ClientError) as error:
        wrong.list_buckets()
    assert code(error) == "SignatureDoesNotMatch"
    for each in (reader, caller, wrong):
        each.close()


def test_a_signed_body_in_chunks_is_verified_chunk_by_chunk(served):
    config = Config(
        request_checksum_calculation="when_required", s3={"payload_signing_enabled": True}
    )
    made = client(served, config=config)
    made.put_object(Bucket="signed", Key="key", Body=io.BytesIO(NOISE))
    assert made.get_object(Bucket="signed", Key="key")["Body"].read() == NOISE
    made.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_over_https_bodies_come_in_chunks_with_their_sums_behind(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-keyout", key, "-out", cert, "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    built = House(tmp_path / "state", "--tls-cert", str(cert), "--tls-key", str(key))
    up = [sys.executable, "-m", "parkade.apps.cli", "up", "--state", str(built.state)]
    with built.output.open("ab") as log:
        built.supervisor = subprocess.Popen(
            [*up, "--port", str(built.port), *built.arguments], stdout=log, stderr=log
        )
    try:
        wait_for(lambda: built.paths.url_file.exists() and "ready" in built.output.read_text())
        sent = []
        environment = {"SSL_CERT_FILE": str(cert)}
        made = client(built, verify=str(cert), environment=environment)
        made.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
        config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        made.upload_fileobj(io.BytesIO(NOISE * 12), "tls", "parts", Config=config)
        made.put_object(Bucket="tls", Key="one", Body=io.BytesIO(NOISE))
        framed = [each for each in sent if "x-amz-trailer" in each.headers]
        assert len(framed) == 4
        for name, size in (("parts", 12), ("one", 1)):
            assert made.get_object(Bucket="tls", Key=name)["Body"].read() == NOISE * size
        made.close()
    finally:
        built.end()


def test_many_at_once_lose_nothing(s3):
    def work(number):
        body = bytes([number]) * 100_000
        s3.put_object(Bucket="crowd", Key=f"{number % 4}/{number}", Body=body)
        s3.put_object(Bucket="crowd", Key="same", Body=body)
        return s3.get_object(Bucket="crowd", Key=f"{number % 4}/{number}")["Body"].read() == body

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))
    same = s3.get_object(Bucket="crowd", Key="same")["Body"].read()
    assert len(same) == 100_000
    assert len(set(same)) == 1
    assert s3.list_objects_v2(Bucket="crowd")["KeyCount"] == 41


# -- the AWS CLI --------------------------------------------------------------------------

SMALL_PARTS = "[default]\ns3 =\n  multipart_threshold = 6MB\n  multipart_chunksize = 5MB\n"


@pytest.fixture
def aws(served, tmp_path):
    config = tmp_path / "aws-config"
    config.write_text(SMALL_PARTS)
    environment = {
        **os.environ,
        **variables(served),
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONWARNINGS": "ignore",
    }

    def run(*words, fails=False, stdin=None):
        command = [str(Path(sys.executable).with_name("aws")), *words]
        result = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            input=stdin,
            timeout=100,
            check=False,
        )
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result.stderr if fails else result.stdout

    return run


def test_the_cli_makes_and_removes_buckets_and_lists_them(aws):
    assert "make_bucket: cli-bucket" in aws("s3", "mb", "s3://cli-bucket")
    assert "cli-bucket" in aws("s3", "ls")
    aws("s3", "cp", "-", "s3://cli-bucket/piped", stdin="text")
    assert aws("s3", "cp", "s3://cli-bucket/piped", "-") == "text"
    assert "BucketNotEmpty" in aws("s3", "rb", "s3://cli-bucket", fails=True)
    aws("s3", "rb", "s3://cli-bucket", "--force")
    assert "NoSuchBucket" in aws("s3", "ls", "s3://cli-bucket", fails=True)


def test_the_cli_copies_twenty_megabytes_in_parts_each_way(aws, served, tmp_path):
    file, back = tmp_path / "big.bin", tmp_path / "back.bin"
    file.write_bytes(NOISE * 20)
    aws("s3", "cp", str(file), "s3://cli-large/big.bin", "--no-progress")
    assert (served.paths.objects / "cli-large" / "big.bin").read_bytes() == NOISE * 20
    aws("s3", "cp", "s3://cli-large/big.bin", str(back), "--no-progress")
    assert back.read_bytes() == NOISE * 20
    aws("s3", "cp", "s3://cli-large/big.bin", "s3://cli-large/copy.bin")
    aws("s3", "mv", "s3://cli-large/copy.bin", "s3://cli-large/moved.bin")
    lines = aws("s3", "ls", "s3://cli-large/", "--human-readable", "--summarize")
    assert "20.0 MiB big.bin" in lines
    assert "20.0 MiB moved.bin" in lines
    assert "Total Objects: 2" in lines
    assert list((served.paths.uploads).glob("*/part-*")) == []


def test_the_cli_syncs_and_removes_folders(aws, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    (source / "sub ü").mkdir(parents=True)
    for name in ("a.txt", "b.csv", "sub ü/c.txt"):
        (source / name).write_text(name)
    aws("s3", "mb", "s3://cli-sync")
    assert aws("s3", "sync", str(source), "s3://cli-sync/p").count("upload:") == 3
    assert aws("s3", "sync", str(source), "s3://cli-sync/p") == ""
    (source / "a.txt").unlink()
    (source / "b.csv").write_text("changed")
    out = aws("s3", "sync", str(source), "s3://cli-sync/p", "--delete")
    assert (out.count("upload:"), out.count("delete:")) == (1, 1)
    aws("s3", "sync", "s3://cli-sync/p", "s3://cli-sync/q")
    aws("s3", "cp", "s3://cli-sync/q", str(back), "--recursive")
    assert (back / "sub ü" / "c.txt").read_text() == "sub ü/c.txt"
    assert (back / "b.csv").read_text() == "changed"
    assert "PRE sub ü/" in aws("s3", "ls", "s3://cli-sync/q/")
    assert aws("s3", "rm", "s3://cli-sync", "--recursive").count("delete:") == 4
    assert aws("s3", "ls", "s3://cli-sync") == ""


def test_the_cli_asks_who_it_is(aws):
    identity = json.loads(aws("sts", "get-caller-identity", "--output", "json"))
    assert identity["Arn"] == "arn:aws:sts::000000000000:assumed-role/parkade-admin/admin"


# -- what goes wrong on the way -----------------------------------------------------------


def begun(served, path, length=50 * MIB, sent=2 * MIB):
    """Begin an upload through the gateway and stop in the midst of it."""
    upload = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    upload.putrequest("PUT", path)
    upload.putheader("Authorization", served.token)
    upload.putheader("Content-Length", str(length))
    upload.endheaders(bytes(sent))
    return upload


def incoming(folder):
    """Return the files that have something in them; one may go while it is looked at."""
    return [path for path in (folder / ".incoming").iterdir() if holds(path)]


def holds(path):
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("path", ["/v1/objects/cut/key", "/s3/cut/key"])
def test_a_connection_that_is_cut_leaves_no_half_object(served, path):
    upload = begun(served, path)
    wait_for(lambda: incoming(served.paths.objects), why="the first pieces to be on disk")
    upload.close()
    wait_for(lambda: not incoming(served.paths.objects), why="the half object to be gone")
    assert served.call("GET", "/v1/objects/cut/key").status_code == 404
    assert served.ok("GET", "/v1/objects/cut").json()["objects"] == []


def test_a_control_process_that_is_killed_leaves_no_half_object_and_no_lost_part(tmp_path):
    with house(tmp_path / "state") as built:
        made = client(built, config=Config(retries={"total_max_attempts": 1}))
        made.put_object(Bucket="models", Key="key", Body=b"old")
        upload = made.create_multipart_upload(Bucket="models", Key="parts")["UploadId"]
        options = {"Bucket": "models", "Key": "parts", "UploadId": upload}
        first = made.upload_part(**options, PartNumber=1, Body=NOISE * 5)
        halves = [begun(built, f"/s3/models/{key}") for key in ("key", "new")]
        halves.append(begun(built, f"/s3/models/parts?partNumber=2&uploadId={upload}"))
        wait_for(lambda: len(incoming(built.paths.objects)) == 2, why="both halves to be on disk")
        wait_for(lambda: incoming(built.paths.uploads), why="the half part to be on disk")
        built.wait_reborn("control", built.kill("control"))
        for half in halves:
            half.close()
        assert incoming(built.paths.objects) == []
        assert incoming(built.paths.uploads) == []
        assert [each["Key"] for each in made.list_objects_v2(Bucket="models")["Contents"]] == [
            "key"
        ]
        assert made.get_object(Bucket="models", Key="key")["Body"].read() == b"old"
        assert [part["PartNumber"] for part in made.list_parts(**options)["Parts"]] == [1]
        second = made.upload_part(**options, PartNumber=2, Body=b"end")
        parts = [
            {"PartNumber": number, "ETag": part["ETag"]}
            for number, part in ((1, first), (2, second))
        ]
        made.complete_multipart_upload(**options, MultipartUpload={"Parts": parts})
        assert made.get_object(Bucket="models", Key="parts")["Body"].read() == NOISE * 5 + b"end"
        made.close()


def test_an_upload_whose_control_process_was_killed_is_tried_again_by_the_client(tmp_path):
    with house(tmp_path / "state") as built:
        made = client(built, config=Config(retries={"mode": "standard", "total_max_attempts": 8}))
        done = threading.Event()
        failures = []

        def work():
            for number in range(30):
                try:
                    made.put_object(Bucket="models", Key=f"{number}", Body=NOISE)
                except ClientError as error:
                    failures.append(error)
            done.set()

        thread = threading.Thread(target=work)
        thread.start()
        wait_for(lambda: built.paths.objects.joinpath("models", "3").exists())
        built.wait_reborn("control", built.kill("control"))
        # Each of its attempts may wait for control, and longer after each.
        thread.join(PATIENCE * 3)
        assert done.is_set()
        assert failures == []
        sizes = {path.stat().st_size for path in (built.paths.objects / "models").iterdir()}
        assert sizes == {MIB}
        assert len(list((built.paths.objects / "models").iterdir())) == 30
        made.close()


def test_memory_stays_bounded_while_much_goes_through(served, s3):
    (control,) = served.of("control")
    before = control.memory_info().rss
    highest = before
    stop = threading.Event()

    def watch():
        nonlocal highest
        while not stop.wait(0.02):
            highest = max(highest, control.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        begin = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            list(
                pool.map(lambda key: s3.put_object(Bucket="flow", Key=key, Body=NOISE * 150), "ab")
            )
            bodies = pool.map(lambda key: s3.get_object(Bucket="flow", Key=key)["Body"], "ab")
            assert [sum(map(len, body.iter_chunks(MIB))) for body in bodies] == [150 * MIB] * 2
        assert time.monotonic() - begin < PATIENCE
    finally:
        stop.set()
        watcher.join()
    assert highest - before < 100 * MIB


def test_a_presigned_address_brings_headers_of_its_own(served):
    s3 = client(served)
    given = {"Bucket": "shared", "Key": "typed", "ContentType": "text/x", "Metadata": {"by": "ann"}}
    address = s3.generate_presigned_url("put_object", Params=given)
    typed = {"Content-Type": "text/x"}
    with httpx.Client(timeout=PATIENCE) as anybody:
        assert anybody.put(address, content=b"x").status_code == 403
        assert anybody.put(address, content=b"x", headers=typed).status_code == 200
    told = s3.head_object(Bucket="shared", Key="typed")
    assert (told["ContentType"], told["Metadata"]) == ("text/x", {"by": "ann"})
    other = address.replace("x-amz-meta-by=ann", "x-amz-meta-by=bob")
    assert httpx.put(other, content=b"x", headers=typed, timeout=PATIENCE).status_code == 403
    s3.close()


def test_a_list_goes_on_by_its_token_alone(s3):
    for key in "abc":
        s3.put_object(Bucket="going-on", Key=key, Body=b"")
    page = s3.list_objects_v2(Bucket="going-on", MaxKeys=1, StartAfter="a")
    assert page["StartAfter"] == "a"
    page = s3.list_objects_v2(
        Bucket="going-on", StartAfter="a", ContinuationToken=page["NextContinuationToken"]
    )
    assert [each["Key"] for each in page["Contents"]] == ["c"]
    assert "StartAfter" not in page
    for token in ("", "%", "Li4v"[:3]):
        with pytest.raises(ClientError, match="continuation token provided is incorrect") as error:
            s3.list_objects_v2(Bucket="going-on", ContinuationToken=token)
        assert code(error) == "InvalidArgument"


def test_errors_tell_what_they_are_about(s3):
    s3.put_object(Bucket="errors", Key="key", Body=b"nine byte")
    upload = s3.create_multipart_upload(Bucket="errors", Key="parts")["UploadId"]
    part = {"Bucket": "errors", "Key": "parts", "UploadId": upload}
    tags = [s3.upload_part(**part, PartNumber=number, Body=b"x")["ETag"] for number in (1, 2)]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    asked = {
        "NoSuchBucket": (s3.list_objects_v2, {"Bucket": "none-such"}),
        "NoSuchKey": (s3.get_object, {"Bucket": "errors", "Key": "none"}),
        "InvalidRange": (s3.get_object, {"Bucket": "errors", "Key": "key", "Range": "bytes=9-"}),
        "PreconditionFailed": (
            s3.get_object, {"Bucket": "errors", "Key": "key", "IfMatch": '"other"'},
        ),
        "NoSuchUpload": (s3.list_parts, {"Bucket": "errors", "Key": "key", "UploadId": "none"}),
        "EntityTooSmall": (
            s3.complete_multipart_upload, {**part, "MultipartUpload": {"Parts": parts}},
        ),
        "InvalidPart": (
            s3.complete_multipart_upload,
            {**part, "MultipartUpload": {"Parts": [{"PartNumber": 7, "ETag": "other"}]}},
        ),
    }  # fmt: skip
    told = {}
    for name, (method, given) in asked.items():
        with pytest.raises(ClientError) as error:
            method(**given)
        assert code(error) == name
        told[name] = {
            member: value
            for member, value in error.value.response["Error"].items()
            if member not in {"Code", "Message", "Resource", "RequestId"}
        }
    assert told == {
        "NoSuchBucket": {"BucketName": "none-such"},
        "NoSuchKey": {"Key": "none"},
        "InvalidRange": {"ActualObjectSize": "9", "RangeRequested": "bytes=9-"},
        "PreconditionFailed": {"Condition": "If-Match"},
        "NoSuchUpload": {"UploadId": "none"},
        "EntityTooSmall": {
            "PartNumber": "1", "ETag": tags[0].strip('"'), "ProposedSize": "1",
            "MinSizeAllowed": str(5 * MIB),
        },
        "InvalidPart": {"PartNumber": "7", "ETag": "other"},
    }  # fmt: skip


def test_a_copy_onto_itself_may_ask_for_another_storage_class(s3):
    s3.put_object(Bucket="itself", Key="key", Body=b"x", Metadata={"a": "b"})
    same = {"Bucket": "itself", "Key": "key", "CopySource": "itself/key"}
    with pytest.raises(ClientError, match="illegal because"):
        s3.copy_object(**same)
    s3.copy_object(**same, StorageClass="STANDARD")
    assert s3.head_object(Bucket="itself", Key="key")["Metadata"] == {"a": "b"}
