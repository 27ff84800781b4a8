"""Measurements and alarms on Amazon CloudWatch."""
