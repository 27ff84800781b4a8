"""A folder that plays S3."""
