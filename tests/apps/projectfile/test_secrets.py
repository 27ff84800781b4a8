"""Secrets: what is refused inside a file, and that none is ever shown."""

import pytest

from parkade.apps.projectfile.secrets import is_secret
from tests.apps.projectfile.folder import SMALL

SECRETS = {
    "LEVEL": [
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "-----BEGIN RSA PRIVATE KEY-----",
        "hf_" + "a" * 30,
        "ghp_" + "a" * 36,
        "whsec_" + "a" * 24,
        "https://hooks.slack.com/services/T0/B0/x",
    ],
    "HF_TOKEN": ["s3cret-value"],
    "hfToken": ["s3cret-value"],
    "DB_PASSWORD": ["s3cret-value"],
    "API_KEY": ["s3cret-value"],
    "AWS_SECRET_ACCESS_KEY": ["s3cret-value"],
    "clientSecret": ["s3cret-value"],
}


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, vs in SECRETS.items() for v in vs])
def test_a_secret_inside_is_refused_and_not_shown(folder, key, value):
    text = SMALL.replace("-inference}", f"-inference, environment: {{{key}: '{value}'}}}}")
    (told,) = folder.refused(text)
    assert f"models.model-a.environment.{key}: a secret stands here" in told
    assert value not in told


def test_a_secret_that_comes_by_a_variable_is_refused_too(folder):
    folder.environment = {"HF": "s3cret-value"}
    text = SMALL.replace("-inference}", "-inference, environment: {HF_TOKEN: '${HF}'}}")
    (told,) = folder.refused(text)
    assert "a secret stands here" in told
    assert "s3cret" not in told


def test_a_secret_that_comes_by_a_variable_to_any_key_is_refused(folder):
    folder.environment = {"X": SECRETS["LEVEL"][0]}
    text = SMALL.replace("-inference}", "-inference, environment: {LEVEL: '${X}'}}")
    (told,) = folder.refused(text)
    assert "environment.LEVEL: a secret stands here" in told
    assert folder.environment["X"] not in told


@pytest.mark.parametrize("stage", ["demo", "prod"])
def test_a_secret_of_a_stage_is_found_when_that_is_read(folder, stage):
    text = SMALL + "stages: {demo: {}, prod: {models: {model-a: {environment: {TOKEN: abcdef}}}}}\n"
    if stage == "prod":
        assert "a secret stands here" in folder.refused(text, stage=stage)[0]
    else:
        folder.read(text, stage=stage)


@pytest.mark.parametrize(
    "entry",
    [
        "MAX_TOKENS: '200'",
        "TOKEN_LIMIT: '200'",
        "USE_TOKEN: 'true'",
        "KEYWORD: text",
        "KEY: text",
        "MONKEY: text",
        "PASSWORD: ''",
    ],
)
def test_what_is_no_secret_is_taken(folder, entry):
    folder.read(SMALL.replace("-inference}", f"-inference, environment: {{{entry}}}}}"))


def test_a_secret_in_place_of_a_reference_is_not_shown(folder):
    folder.write('[{"id": 1, "input": 2, "expected": 3}]', "cases.json")
    text = SMALL + "tester: {endpoint: text, cases: cases.json, token: [s3cret-value]}\n"
    (told,) = folder.refused(text)
    assert "s3cret" not in told


@pytest.mark.parametrize("key", ["auth", "aws_secret", "", "12"])
def test_keys_that_are_no_secrets(key):
    assert not is_secret(key)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty: write the secret into it"),
        (b"\xff", "holds no secret: it is not UTF-8"),
        (b"x" * 70_000, "is larger than any secret"),
    ],
)
def test_a_secrets_file_that_holds_none(folder, content, wanted):
    if content is not None:
        folder.write(content, "key.txt")
    text = SMALL.replace("-inference}", "-inference, environment: {TOKEN: {file: key.txt}}}")
    (told,) = folder.refused(text)
    assert wanted in told


@pytest.mark.parametrize("reference", ["{}", "{env: A, file: b}"])
def test_a_reference_names_one_place(folder, reference):
    text = SMALL.replace("-inference}", f"-inference, environment: {{TOKEN: {reference}}}}}")
    (told,) = folder.refused(text)
    assert told.endswith("environment.TOKEN: give exactly one of env, file and aws_secret")


def test_a_secret_of_aws_is_not_read_here(folder):
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"
    text = SMALL.replace(
        "-inference}", f"-inference, environment: {{TOKEN: {{aws_secret: '{arn}'}}}}}}"
    )
    assert folder.read(text).secrets == {}
