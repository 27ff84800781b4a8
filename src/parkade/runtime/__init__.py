"""The embedded SageMaker: knows processes, knows no lease."""
