"""Amazon Web Services, by botocore; the only room that talks to them."""
