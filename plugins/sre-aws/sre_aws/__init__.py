"""Plugin `aws`: storage in S3, secrets in AWS Secrets Manager."""

from collections.abc import Iterable

from sre_aws.s3.connector import S3Storage
from sre_aws.s3.settings import S3Settings
from sre_aws.secrets.connector import SecretsManagerVault
from sre_aws.secrets.settings import SecretsManagerSettings
from sre_aws.settings import AwsSettings
from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl

__all__ = [
    "AwsSettings",
    "S3Settings",
    "S3Storage",
    "SecretsManagerSettings",
    "SecretsManagerVault",
    "register_connectors",
]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The connectors of this plugin."""
    return (S3Storage, SecretsManagerVault)
