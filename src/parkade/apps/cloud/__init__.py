"""The AWS cloud, wired: the same services over DynamoDB, SageMaker and CloudWatch."""
