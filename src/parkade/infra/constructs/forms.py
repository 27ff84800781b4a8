"""Forms of requests that API Gateway checks itself; the application says the rest, and says it better."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway

_TEXT = apigateway.JsonSchemaType.STRING
#: A lease that is paid for.
EXPIRY = apigateway.JsonSchema(
    schema=apigateway.JsonSchemaVersion.DRAFT4,
    type=apigateway.JsonSchemaType.OBJECT,
    required=["EndpointName"],
    properties={
        "EndpointName": apigateway.JsonSchema(type=_TEXT, min_length=1, max_length=63),
        "EndpointConfigName": apigateway.JsonSchema(type=_TEXT, min_length=1, max_length=63),
        "minutes": apigateway.JsonSchema(type=apigateway.JsonSchemaType.NUMBER),
    },
)
#: An execution that is begun.
START = apigateway.JsonSchema(
    schema=apigateway.JsonSchemaVersion.DRAFT4,
    type=apigateway.JsonSchemaType.OBJECT,
    required=["endpointname", "body"],
    properties={
        "endpointname": apigateway.JsonSchema(
            type=_TEXT, pattern="^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"
        )
    },
)
#: An execution that is asked for.
DESCRIBE = apigateway.JsonSchema(
    schema=apigateway.JsonSchemaVersion.DRAFT4,
    type=apigateway.JsonSchemaType.OBJECT,
    required=["executionArn"],
    properties={"executionArn": apigateway.JsonSchema(type=_TEXT, min_length=1, max_length=2048)},
)
