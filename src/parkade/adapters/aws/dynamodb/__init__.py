"""Stores on Amazon DynamoDB: one table for all but tokens."""
