"""A program that runs a host on a home, to be killed: `lone_host.py FOLDER SOCKETS [shop]`."""

import asyncio
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from tests.runtime.premises import Home
from tests.runtime.shop import Shop


async def main():
    home = (Shop if "shop" in sys.argv[3:] else Home)(Path(sys.argv[1]))
    shutil.rmtree(home.short)
    home.paths = replace(home.paths, sockets=Path(sys.argv[2]))
    host = home.host()
    await host.start()
    sys.stdout.write("started\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
