"""Ask each model, by the name of its archive. The first request for a model loads it.

python invoke_models.py
"""

import json
import time

import boto3
from samples import NAME, ROWS


def main() -> None:
    """Ask each model twice."""
    runtime = boto3.client("sagemaker-runtime")
    for target, (rows, expected) in ROWS.items():
        for ask in ("first", "again"):
            begun = time.perf_counter()
            answer = runtime.invoke_endpoint(
                EndpointName=NAME,
                TargetModel=target,
                ContentType="application/json",
                Body=json.dumps(rows),
            )
            took = (time.perf_counter() - begun) * 1000
            found = json.loads(answer["Body"].read())["classes"]
            print(f"{target} {ask}: {', '.join(found)} ({took:.0f} ms)")
            if found != expected:
                raise SystemExit(f"{target} was expected to say {', '.join(expected)}")


if __name__ == "__main__":
    main()
