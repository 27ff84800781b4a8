"""Tags: SageMaker's own of what is there, and those that endpoints will have or have had.

An endpoint that sleeps, or whose lease is over, is not there, and its tags with it: they are kept,
and given to the next endpoint of its name when it is created.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling
from parkade.adapters.aws.sagemaker.arns import ENDPOINT, name_in
from parkade.adapters.aws.sagemaker.meanings import meaning
from parkade.domain.errors import NotFound
from parkade.domain.tags import RESERVED
from parkade.ports.catalog import Tagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.sagemaker.arns import Arns
    from parkade.ports.inventory import TagStore

#: GetResources' longest page.
_PAGE = 100


class Tags:
    """Reads and writes tags; `kept` has those of endpoints, whether they are there or not."""

    def __init__(self, account: Account, arns: Arns, kept: TagStore) -> None:
        self._account = account
        self._arns = arns
        self._kept = kept

    def of(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags of what has this kind and name, or those that are kept of it."""
        try:
            return self.present(kind, name)
        except NotFound:
            return self._kept.tags(kind, name)

    def present(self, kind: str, name: str) -> Mapping[str, str]:
        """Return the tags of what is there. Raises the NotFound of its kind."""
        with calling(f"the tags of {kind} {name!r} cannot be listed", meaning):
            pages = self._account.pages(
                "sagemaker", "list_tags", ResourceArn=self._arns.of(kind, name)
            )
            return _mapping(each for page in pages for each in page["Tags"])

    def all(self, kind: str) -> Tagged:
        """Return the tags of all of this kind that have any; there are a hundred in a call."""
        with calling(f"the tags of all of kind {kind} cannot be listed"):
            pages = self._account.pages(
                "resourcegroupstaggingapi",
                "get_resources",
                ResourceTypeFilters=[f"sagemaker:{kind}"],
                ResourcesPerPage=_PAGE,
            )
            found = {
                name_in(each["ResourceARN"]): _mapping(each["Tags"])
                for page in pages
                for each in page["ResourceTagMappingList"]
            }
        kept = self._kept.tagged(kind)
        # Those that are there say themselves what tags they have, if it be none any more.
        tags = {**kept.tags, **found}
        return Tagged(
            {name: each for name, each in sorted(tags.items()) if each},
            {name: why for name, why in kept.unreadable.items() if name not in found},
        )

    def put(self, kind: str, name: str, tags: Mapping[str, str]) -> None:
        """Give what has this kind and name these tags and no others, now or at its creation."""
        if kind == ENDPOINT:
            self._kept.put_tags(kind, name, tags)
        try:
            held = self.present(kind, name)
            self._change(kind, name, held, tags)
        except NotFound:
            return  # it gets them when it is created, if it is one that comes again

    def given(self, name: str) -> list[dict[str, str]]:
        """Return the tags that an endpoint is to be created with, as CreateEndpoint takes them."""
        return listed(self._kept.tags(ENDPOINT, name))

    def keep(self, name: str) -> Mapping[str, str]:
        """Keep the tags of an endpoint that is about to go, and return them."""
        try:
            tags = self.present(ENDPOINT, name)
        except NotFound:
            return self._kept.tags(ENDPOINT, name)
        if tags != self._kept.tags(ENDPOINT, name):
            self._kept.put_tags(ENDPOINT, name, tags)
        return tags

    def _change(
        self, kind: str, name: str, held: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        client, arn = self._account.client("sagemaker"), self._arns.of(kind, name)
        added = {key: value for key, value in tags.items() if held.get(key) != value}
        gone = sorted(held.keys() - tags.keys())
        with calling(f"the tags of {kind} {name!r} cannot be changed", meaning):
            # Away first, so that there is room for fifty others.
            if gone:
                client.delete_tags(ResourceArn=arn, TagKeys=gone)
            if added:
                client.add_tags(ResourceArn=arn, Tags=listed(added))


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as SageMaker takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _mapping(entries: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags in the order of keys, without those that AWS itself puts on."""
    tags = {each["Key"]: each["Value"] for each in entries}
    return {key: tags[key] for key in sorted(tags) if not key.lower().startswith(RESERVED)}
