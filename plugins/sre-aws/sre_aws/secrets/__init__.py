"""A vault in AWS Secrets Manager."""
