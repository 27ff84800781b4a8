"""A folder with a project's file in it, read as the command line reads it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from parkade.apps.projectfile import reading
from parkade.apps.projectfile.problem import BadFile

#: The least that serves something.
SMALL = """\
project: Text
models:
  model-a: {data: "s3://models/a.tar.gz", image: pytorch-inference}
endpoints:
  text:
    variants:
      - {name: A, model: model-a, type: ml.c5.large}
"""


@dataclass
class Folder:
    path: Path
    environment: dict = field(default_factory=dict)

    def write(self, text, name="parkade.yaml"):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            file.write_bytes(text)
        else:
            file.write_text(text, encoding="utf-8")
        return file

    def read(self, text=None, *, stage=None, name="parkade.yaml", whole=True):
        if text is not None:
            self.write(text, name)
        return reading.read(
            self.path / name, stage=stage, environment=self.environment, whole=whole
        )

    def refused(self, text=None, *, stage=None, name="parkade.yaml"):
        """Return what is told of a file that cannot be used, without the folder's name."""
        with pytest.raises(BadFile) as raised:
            self.read(text, stage=stage, name=name)
        lines = raised.value.lines
        assert all(line.startswith(str(self.path)) for line in lines), lines
        return [line.replace(f"{self.path}/", "") for line in lines]
