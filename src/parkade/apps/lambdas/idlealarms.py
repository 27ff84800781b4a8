"""The alarms of watched endpoints in CloudWatch, one for each variant and one of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.cloudwatch import idlewatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parkade.adapters.aws.account import Account
    from parkade.adapters.aws.cloudwatch.subjects import Subject
    from parkade.domain.ladder import Watch


class AccountAlarms:
    """Makes and deletes them; `subjects` tells the variants and components of an endpoint."""

    def __init__(self, account: Account, subjects: Callable[[str], Sequence[Subject]]) -> None:
        self._account = account
        self._subjects = subjects

    def put(self, watch: Watch) -> None:
        """Have an alarm for each variant, and one of all of them; of what is gone, none."""
        name = watch.endpoint_name
        idlewatch.put(
            self._account,
            idlewatch.IdleWatch(
                endpoint_name=name,
                subjects=self._subjects(name),
                rules=watch.rules,
                by=watch.by,
            ),
        )

    def delete(self, endpoint_name: str) -> None:
        """Delete an endpoint's alarms."""
        idlewatch.delete(self._account, endpoint_name)

    def names(self) -> Sequence[str]:
        """Return the endpoints that have alarms."""
        return idlewatch.watched(self._account)

    def owner(self, alarm_arn: str) -> str:
        """Return the endpoint that an alarm shows, by its tags; empty: it is none of ours."""
        return idlewatch.owned(self._account, alarm_arn) if alarm_arn else ""
