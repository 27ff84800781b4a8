"""The Systems Manager's parameter store: texts under paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.refusals import calling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parkade.adapters.aws.account import Account


def below(account: Account, path: str) -> Iterator[tuple[str, str]]:
    """Give every parameter below a path, by its whole name; ten come with each call.

    Raises what `calling` raises.
    """
    with calling(f"parameters below {path} cannot be read"):
        pages = account.pages("ssm", "get_parameters_by_path", Path=path, Recursive=True)
        for page in pages:
            for each in page["Parameters"]:
                yield str(each["Name"]), str(each["Value"])
