"""Where AWS's pipeline takes a project from, and images that are built of folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from parkade.apps.projectfile import clouds, reading
from parkade.apps.projectfile.pipeline import PipelineSetting
from parkade.apps.projectfile.problem import BadFile

if TYPE_CHECKING:
    from pathlib import Path

_ARN = "arn:aws:codeconnections:us-east-1:123456789012:connection/8a1c"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"repository": "TextClassificationDemo"},
        {"repository": "acme/shop", "connection": _ARN},
        {"bucket": "sources", "key": "shop.zip"},
    ],
)
def test_a_pipeline_has_one_source_or_none(given):
    assert PipelineSetting.model_validate(given).model_dump(exclude_unset=True) == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"repository": "acme/shop"}, "connection is missing"),
        ({"repository": "shop", "connection": _ARN}, "as owner/name"),
        ({"connection": _ARN}, "connection needs repository"),
        ({"bucket": "sources"}, "bucket and key go together"),
        ({"bucket": "sources", "key": "a.zip", "repository": "shop"}, "give one source"),
        ({"repository": "a/b", "connection": "arn:aws:iam::1:role/x"}, "connection"),
    ],
)
def test_what_is_no_source_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        PipelineSetting.model_validate(given)


def _file(folder: Path, image: str, *, more: str = "") -> Path:
    path = folder / "parkade.yaml"
    path.write_text(
        "project: Many\nmodels:\n"
        f"  many: {{data: 's3://bucket/many/', image: {image}, multi_model: true{more}}}\n"
        "endpoints:\n  many: {variants: [{model: many, type: ml.c5.large}]}\n"
    )
    return path


def test_an_image_can_be_built_of_a_folder_with_a_dockerfile(tmp_path):
    (tmp_path / "docker").mkdir()
    file = _file(tmp_path, "{folder: docker}")
    with pytest.raises(BadFile) as caught:
        reading.read(file, stage=None, environment={})
    assert "has no Dockerfile" in caught.value.lines[0]
    (tmp_path / "docker" / "Dockerfile").write_text("FROM scratch\n")
    content = reading.read(file, stage=None, environment={}).content
    assert content.models["many"].aws_alone == "image.folder"
    (told,) = clouds.refused(content)
    assert told.place == ("models", "many", "image", "folder")
    assert "image.folder is on AWS alone" in told.message


def test_a_folder_that_is_not_there_is_told_by_its_line(tmp_path):
    with pytest.raises(BadFile) as caught:
        reading.read(_file(tmp_path, "{folder: docker}"), stage=None, environment={})
    (line,) = caught.value.lines
    assert "models.many.image.folder" in line
    assert f"there is no folder {tmp_path / 'docker'}" in line


def test_one_machine_plays_a_model_whose_image_is_built(tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "Dockerfile").write_text("FROM scratch\n")
    played = ", embedded: {data: 's3://bucket/one.tar.gz', image: pytorch-inference}"
    content = reading.read(
        _file(tmp_path, "{folder: docker}", more=played), stage=None, environment={}
    ).content
    assert not clouds.refused(content)
    here, left = clouds.embedded(content)
    assert (here.models["many"].image, left) == ("pytorch-inference", ())
