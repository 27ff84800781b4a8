"""Constructs for CDK applications of any kind."""
