"""Which members of the service's inputs have been looked at: honoured, kept, or refused by name.

botocore is newer on some machines than on others. A member that it knows and this table does not
could mean anything, so that it is refused rather than taken for nothing. A test fails when botocore
brings one; then somebody decides, and writes it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By the name of the shape; shapes of refused members are left out.
_MEMBERS = {
    "AddTagsInput": "ResourceArn Tags",
    "AsyncInferenceClientConfig": "MaxConcurrentInvocationsPerInstance",
    "AsyncInferenceConfig": "ClientConfig OutputConfig",
    "AsyncInferenceNotificationConfig": "ErrorTopic IncludeInferenceResponseIn SuccessTopic",
    "AsyncInferenceOutputConfig": "KmsKeyId NotificationConfig S3FailurePath S3OutputPath",
    "BlueGreenUpdatePolicy": (
        "MaximumExecutionTimeoutInSeconds TerminationWaitInSeconds TrafficRoutingConfiguration"
    ),
    "CaptureContentTypeHeader": "CsvContentTypes JsonContentTypes",
    "CaptureOption": "CaptureMode",
    "ContainerDefinition": (
        "AdditionalModelDataSources ContainerHostname ContainerMetricsConfig Environment "
        "Image ImageConfig InferenceSpecificationName Mode ModelDataSource ModelDataUrl "
        "ModelPackageName MultiModelConfig"
    ),
    "ContainerMetricsConfig": "MetricsEndpoints",
    "CreateEndpointConfigInput": (
        "AsyncInferenceConfig CrossRegionTrafficConfig DataCaptureConfig "
        "EnableNetworkIsolation EndpointConfigName ExecutionRoleArn ExplainerConfig KmsKeyId "
        "MetricsConfig ProductionVariants ShadowProductionVariants Tags VpcConfig"
    ),
    "CreateEndpointInput": "DeploymentConfig EndpointConfigName EndpointName Tags",
    "CreateInferenceComponentInput": (
        "EndpointName InferenceComponentName RuntimeConfig Specification Specifications Tags "
        "VariantName"
    ),
    "CreateModelInput": (
        "Containers EnableNetworkIsolation ExecutionRoleArn InferenceExecutionConfig "
        "ModelName PrimaryContainer Tags VpcConfig"
    ),
    "DataCaptureConfig": (
        "CaptureContentTypeHeader CaptureOptions DestinationS3Uri EnableCapture "
        "InitialSamplingPercentage KmsKeyId"
    ),
    "DeleteEndpointConfigInput": "EndpointConfigName",
    "DeleteEndpointInput": "EndpointName",
    "DeleteInferenceComponentInput": "InferenceComponentName",
    "DeleteModelInput": "ModelName",
    "DeleteTagsInput": "ResourceArn TagKeys",
    "DeploymentConfig": "AutoRollbackConfiguration BlueGreenUpdatePolicy RollingUpdatePolicy",
    "DescribeEndpointConfigInput": "EndpointConfigName",
    "DescribeEndpointInput": "EndpointName",
    "DescribeInferenceComponentInput": "InferenceComponentName",
    "DescribeModelInput": "ModelName",
    "DesiredWeightAndCapacity": (
        "DesiredInstanceCount DesiredWeight ServerlessUpdateConfig VariantName"
    ),
    "InferenceComponentAvailabilityZoneBalance": "EnforcementMode MaxImbalance",
    "InferenceComponentComputeResourceRequirements": (
        "AcceleratorPartitionType MaxMemoryRequiredInMb MinMemoryRequiredInMb "
        "NumberOfAcceleratorDevicesRequired NumberOfCpuCoresRequired"
    ),
    "InferenceComponentContainerSpecification": (
        "ArtifactUrl ContainerMetricsConfig Environment Image"
    ),
    "InferenceComponentDataCacheConfig": "EnableCaching",
    "InferenceComponentRuntimeConfig": "CopyCount",
    "InferenceComponentSchedulingConfig": "AvailabilityZoneBalance PlacementStrategy",
    "InferenceComponentSpecification": (
        "BaseInferenceComponentName ComputeResourceRequirements Container DataCacheConfig "
        "InstanceType ModelName SchedulingConfig StartupParameters"
    ),
    "InferenceComponentStartupParameters": (
        "ContainerStartupHealthCheckTimeoutInSeconds ModelDataDownloadTimeoutInSeconds"
    ),
    "InferenceExecutionConfig": "Mode",
    "ListEndpointConfigsInput": (
        "CreationTimeAfter CreationTimeBefore MaxResults NameContains NextToken SortBy SortOrder"
    ),
    "ListEndpointsInput": (
        "CreationTimeAfter CreationTimeBefore LastModifiedTimeAfter LastModifiedTimeBefore "
        "MaxResults NameContains NextToken SortBy SortOrder StatusEquals"
    ),
    "ListInferenceComponentsInput": (
        "CreationTimeAfter CreationTimeBefore EndpointNameEquals LastModifiedTimeAfter "
        "LastModifiedTimeBefore MaxResults NameContains NextToken SortBy SortOrder "
        "StatusEquals VariantNameEquals"
    ),
    "ListModelsInput": (
        "CreationTimeAfter CreationTimeBefore MaxResults NameContains NextToken SortBy SortOrder"
    ),
    "ListTagsInput": "MaxResults NextToken ResourceArn",
    "MetricsConfig": (
        "EnableDetailedObservability EnableEnhancedMetrics MetricPublishFrequencyInSeconds"
    ),
    "MetricsEndpoint": "MetricPublishFrequencyInSeconds MetricsEndpointPath",
    "ModelAccessConfig": "AcceptEula",
    "ModelDataSource": "S3DataSource",
    "MultiModelConfig": "ModelCacheSetting",
    "ProductionVariant": (
        "AcceleratorPartitionLayouts AcceleratorType CapacityReservationConfig "
        "ContainerStartupHealthCheckTimeoutInSeconds CoreDumpConfig EnableSSMAccess "
        "InferenceAmiVersion InitialInstanceCount InitialVariantWeight InstancePools "
        "InstanceType ManagedInstanceScaling ModelDataDownloadTimeoutInSeconds ModelName "
        "RoutingConfig ServerlessConfig VariantInstanceProvisionTimeoutInSeconds VariantName "
        "VolumeSizeInGB"
    ),
    "ProductionVariantManagedInstanceScaling": (
        "MaxInstanceCount MinInstanceCount ScaleInPolicy Status"
    ),
    "ProductionVariantManagedInstanceScalingScaleInPolicy": (
        "CooldownInMinutes MaximumStepSize Strategy"
    ),
    "ProductionVariantRoutingConfig": "PrefixAwareRoutingConfig RoutingStrategy",
    "ProductionVariantServerlessConfig": "MaxConcurrency MemorySizeInMB ProvisionedConcurrency",
    "S3ModelDataSource": (
        "CompressionType ETag HubAccessConfig ManifestEtag ManifestS3Uri ModelAccessConfig "
        "S3DataType S3Uri"
    ),
    "Tag": "Key Value",
    "TrafficRoutingConfig": "CanarySize LinearStepSize Type WaitIntervalInSeconds",
    "UpdateEndpointInput": (
        "DeploymentConfig EndpointConfigName EndpointName ExcludeRetainedVariantProperties "
        "RetainAllVariantProperties RetainDeploymentConfig"
    ),
    "UpdateEndpointWeightsAndCapacitiesInput": "DesiredWeightsAndCapacities EndpointName",
    "UpdateInferenceComponentInput": (
        "DeploymentConfig InferenceComponentName RuntimeConfig Specification Specifications"
    ),
    "UpdateInferenceComponentRuntimeConfigInput": "DesiredRuntimeConfig InferenceComponentName",
    "VariantProperty": "VariantPropertyType",
}

KNOWN: Mapping[str, frozenset[str]] = {
    name: frozenset(members.split()) for name, members in _MEMBERS.items()
}
