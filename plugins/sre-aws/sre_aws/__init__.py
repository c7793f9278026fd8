"""Plugin `aws`: storage in S3, secrets in AWS Secrets Manager, models on Amazon Bedrock, code on AWS Lambda."""

from collections.abc import Iterable

from sre_aws.bedrock.connector import BedrockLLM
from sre_aws.bedrock.models import entries
from sre_aws.bedrock.settings import BedrockSettings
from sre_aws.s3.connector import S3Storage
from sre_aws.s3.settings import S3Settings
from sre_aws.secrets.connector import SecretsManagerVault
from sre_aws.secrets.settings import SecretsManagerSettings
from sre_aws.serverless.component import ServerlessCode, ServerlessCodeSettings
from sre_aws.settings import AwsSettings
from sre_core.components.base import Component
from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_core.models.entry import ModelEntry

__all__ = [
    "AwsSettings",
    "BedrockLLM",
    "BedrockSettings",
    "S3Settings",
    "S3Storage",
    "SecretsManagerSettings",
    "SecretsManagerVault",
    "ServerlessCode",
    "ServerlessCodeSettings",
    "register_components",
    "register_connectors",
    "register_models",
]


@hookimpl
def register_components() -> Iterable[type[Component]]:
    """The component of this plugin."""
    return (ServerlessCode,)


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The connectors of this plugin."""
    return (S3Storage, SecretsManagerVault, BedrockLLM)


@hookimpl
def register_models() -> Iterable[ModelEntry]:
    """The models on Bedrock that are asked for most."""
    return entries()
