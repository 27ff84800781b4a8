"""Files of the two other forms, written from their descriptions."""

import copy

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:1.4.0-cpu-py36-ubuntu16.04"


def _served(letter, least, most, target):
    return {
        "ModelName": f"Model-{letter.upper()}-20210117a",
        "ModelS3Key": f"models/model-{letter}/model",
        "ModelDockerImage": IMAGE,
        "VariantName": f"Model-{letter.upper()}",
        "VariantWeight": 1,
        "InstanceCount": 1,
        "InstanceType": "ml.c4.xlarge",
        "AutoScalingEnable": False,
        "AutoScalingMinCapacity": least,
        "AutoScalingMaxCapacity": most,
        "AutoScalingTargetInvocation": target,
    }


def _archived(letter):
    path = f"models/model-{letter}/model"
    return {"ModelName": f"model-{letter}", "ModelLocalPath": path, "ModelS3Key": path}


_STACKS = {
    "Project": {
        "Name": "TextClassification",
        "Stage": "Demo",
        "Account": "751571234567",
        "Region": "us-east-1",
        "Profile": "default",
    },
    "Stack": {
        "ModelArchiving": {
            "Name": "ModelArchivingStack",
            "BucketBaseName": "model-archiving",
            "ModelList": [_archived("a"), _archived("b")],
        },
        "ModelServing": {
            "Name": "ModelServingStack",
            "ModelList": [_served("a", 1, 3, 70), _served("b", 2, 4, 50)],
            "EndpointConfigName": "TextClassification-20210117c",
            "BucketBaseName": "model-serving",
            "EndpointName": "TextClassification",
            "Deploy": True,
        },
        "APIHosting": {"Name": "APIHostingStack"},
        "APITesting": {"Name": "APITestingStack"},
        "TesterDashboard": {"Name": "TesterDashboardStack", "DashboardName": "TesterDashboard"},
        "MonitorDashboard": {
            "Name": "MonitorDashboardStack",
            "DashboardName": "MonitorDashboard",
            "SubscriptionEmails": ["ann@example.com"],
            "ApiGatewayOverallCallThreshold": 100,
            "ApiGatewayError4xxCallThreshold": 20,
            "ApiGatewayError5xxCallThreshold": 20,
        },
        "CICDPipeline": {
            "Name": "CICDPipelineStack",
            "RepositoryName": "TextClassificationDemo",
            "BranchName": "main",
        },
    },
}

_MANAGED = {
    "project_prefix": "demo",
    "region_name": "us-east-1",
    "ddb_auth_table_name": "auth",
    "jumpstart_models": [
        {
            "name": "Falcon40B",
            "model_id": "huggingface-llm-falcon-40b-instruct-bf16",
            "inference_instance_type": "ml.g5.12xlarge",
            "inference_instance_count": 2,
            "inference_type": "realtime",
            "public": True,
            "schedule": {"initial_provision_minutes": 60},
            "integration": {
                "type": "lambda",
                "properties": {"lambda_src": "functions/falcon", "api_resource_name": "falcon"},
            },
        },
        {
            "name": "FlanT5",
            "model_id": "huggingface-text2text-flan-t5-xxl",
            "inference_instance_type": "ml.g5.12xlarge",
            "inference_instance_count": 1,
            "inference_type": "async",
            "public": False,
            "integration": {"type": "api", "properties": {"api_resource_name": "flan"}},
        },
    ],
}


def stacks():
    return copy.deepcopy(_STACKS)


def managed():
    return copy.deepcopy(_MANAGED)
