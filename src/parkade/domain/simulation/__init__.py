"""What invocations would have cost under other rules, and who would have found nothing running."""
