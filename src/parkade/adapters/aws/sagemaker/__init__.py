"""Hosting on Amazon SageMaker."""
