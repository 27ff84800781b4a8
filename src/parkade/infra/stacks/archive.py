"""Where models are kept: the project's buckets, and in them its models, packed.

Each folder or archive of the file is packed as `parkade apply` packs it, and stored under the key that
apply gives it: what is in it is its address. The archive travels as an asset of the deployment, and
S3 copies it from there by itself.

The project's own buckets are those that its file names and whose names begin with its prefix in lower
case and a hyphen. Any other one is somebody else's, and has to be there.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_s3_assets as assets

from parkade.infra import assortment, sharing
from parkade.infra.constructs.buckets import bucket
from parkade.infra.constructs.functions import Function
from parkade.infra.naming import Title
from parkade.infra.stack import ParkadeStack
from parkade.runtime import packing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from parkade.apps.cli.archives import Archive
    from parkade.infra.estate import Estate

#: Seconds. S3 copies some hundred MB a second in parts.
_COPY_SECONDS = 900
#: What the custom resources of archives are called.
TYPE = "Custom::ModelArchive"


class ModelArchivingStack(ParkadeStack):
    """The project's buckets, and its models in them."""

    title = Title.ARCHIVING
    about = "buckets, and packed models under keys that their content gives"

    def __init__(
        self, scope: Construct, construct_id: str | None = None, *, estate: Estate
    ) -> None:
        """Make the stack. What is packed for it is packed now. Raises InvalidInput."""
        super().__init__(scope, construct_id, estate=estate)
        #: By their names.
        self.buckets: dict[str, s3.Bucket] = {
            name: bucket(self, name, name=name) for name in assortment.own_buckets(estate)
        }
        stored = _apart(estate.archives)
        if stored:
            self._store(stored)
        for name in self.buckets:
            end = "bucket-name" if name == estate.document.archives else f"{name}/bucket-name"
            sharing.publish(self, f"archiving/{end}", name)

    @classmethod
    def wanted(cls, estate: Estate) -> bool:
        """Tell whether the project packs models, or has buckets of its own."""
        return bool(estate.archives or assortment.own_buckets(estate))

    def _store(self, archives: Sequence[Archive]) -> None:
        storing = Function(
            self,
            "Storing",
            handler="archive",
            about="has S3 copy packed models to where they are read from",
            environment={},
            timeout=_COPY_SECONDS,
        )
        for archive in archives:
            asset, digest = self._asset(archive)
            source = asset.bucket.arn_for_objects(asset.s3_object_key)
            storing.grants.allow(["s3:GetObject"], [source])
            made = cdk.CustomResource(
                self,
                f"Model{archive.digest[:16]}",
                resource_type=TYPE,
                service_token=storing.arn,
                properties={
                    "Source": asset.s3_object_url,
                    "Target": archive.address,
                    "Digest": digest,
                },
            )
            for each in self.buckets.values():
                made.node.add_dependency(each)
        names = sorted({archive.place.bucket for archive in archives})
        storing.grants.allow(
            ["s3:ListBucket"], [f"arn:{self.partition}:s3:::{name}" for name in names]
        )
        storing.grants.allow(
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            [f"arn:{self.partition}:s3:::{name}/{self.estate.prefix}/*" for name in names],
            why="archives are called by their content, below the project's prefix",
        )

    def _asset(self, archive: Archive) -> tuple[assets.Asset, str]:
        """Return what is uploaded with the deployment, and its SHA-256."""
        with tempfile.TemporaryDirectory(prefix="parkade-archive-") as folder:
            path = archive.source
            if path.is_dir():
                path = Path(folder) / f"{archive.digest}.tar.gz"
                packing.pack(archive.source, path)
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            asset = assets.Asset(
                self,
                f"Packed{archive.digest[:16]}",
                path=str(path),
                asset_hash=archive.digest,
                asset_hash_type=cdk.AssetHashType.CUSTOM,
            )
        return asset, digest


def _apart(archives: Iterable[Archive]) -> list[Archive]:
    """Return the archives, of those that are the same one."""
    return list({each.address: each for each in archives}.values())
