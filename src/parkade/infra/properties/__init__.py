"""Parts of a project in CloudFormation's words: plain values, without the CDK."""
