"""moto's server as a process of its own, for one account: prints its address, ends with its input.

The account's number is that of the embedded runtime, whose ARNs have it: moto reads it from the
environment once, when it is imported.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCOUNT = "000000000000"
_ROOT = Path(__file__).parent.parent.parent


@contextmanager
def account_server() -> Iterator[str]:
    """Give the address of a server that ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.aws.account_server"],
        cwd=_ROOT,
        env={**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT, "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait()


def _serve() -> None:
    from tests.aws_account import moto

    with moto() as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _serve()
