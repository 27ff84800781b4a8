"""Deploy one endpoint for all models, and wait until it is in service.

python deploy.py
"""

import boto3
from samples import BUCKET, IMAGE, NAME, PREFIX, ROLE


def main() -> None:
    """Make model, endpoint config and endpoint."""
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model(
        ModelName=NAME,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "Mode": "MultiModel",
            "ModelDataUrl": f"s3://{BUCKET}/{PREFIX}",
        },
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": NAME,
                "InstanceType": "ml.c5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    # As often as on AWS would do as well; here an endpoint is up within a second or two.
    patience = {"Delay": 1, "MaxAttempts": 120}
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig=patience)
    print(f"{NAME} is in service")


if __name__ == "__main__":
    main()
