"""Remove the endpoint, its config, its model and the archives. What is gone already is passed over.

python clean_up.py
"""

import boto3
from botocore.exceptions import ClientError
from samples import BUCKET, NAME, PREFIX


def main() -> None:
    """Remove all that the other scripts have made on the server."""
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    try:
        sagemaker.delete_endpoint(EndpointName=NAME)
    except ClientError as error:
        print(error.response["Error"]["Message"])
    else:
        patience = {"Delay": 1, "MaxAttempts": 60}
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=NAME, WaiterConfig=patience)
    for delete, name in (
        (sagemaker.delete_endpoint_config, "EndpointConfigName"),
        (sagemaker.delete_model, "ModelName"),
    ):
        try:
            delete(**{name: NAME})
        except ClientError as error:
            print(error.response["Error"]["Message"])
    listing = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
    for page in listing:
        for each in page.get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=each["Key"])
    print(f"{NAME} is gone")


if __name__ == "__main__":
    main()
