"""Accounts at moto's server that nothing is in yet: each test has one of its own.

moto keeps apart what belongs to different accounts, and says which one a caller is of by the role
that it has assumed.
"""

import itertools
import os

import botocore.session

from parkade.adapters.aws.account import Account

_numbers = itertools.count(200_000_000_001)


class Apart:
    """Makes such accounts, of one session: only the first client of a service takes its time."""

    def __init__(self, config, aws):
        self._aws = aws
        self._session = botocore.session.Session()
        self._session.set_config_variable("config_file", str(config))
        self._session.set_config_variable("credentials_file", os.devnull)

    def account(self):
        """A new account."""
        role = f"arn:aws:iam::{next(_numbers)}:role/anybody"
        answer = self._aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
        keys = answer["Credentials"]
        self._session.set_credentials(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        )
        return Account(session=self._session)
