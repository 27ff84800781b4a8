"""Put the archives where the endpoint looks for its models.

python put_models.py [ARCHIVE ...]
"""

import sys
from pathlib import Path

import boto3
from samples import BUCKET, MODELS, PREFIX


def main() -> None:
    """Put the archives that are named, or all that were made."""
    paths = [Path(each) for each in sys.argv[1:]] or sorted(MODELS.glob("*.tar.gz"))
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for path in paths:
        s3.upload_file(str(path), BUCKET, PREFIX + path.name)
        print(f"s3://{BUCKET}/{PREFIX}{path.name}")


if __name__ == "__main__":
    main()
