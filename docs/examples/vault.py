"""Secrets: nobody may read one unless it is granted."""

import asyncio
import os

from sre_core.config import load
from sre_sdk import AccessDeniedError, Agent, Runtime

os.environ["WEATHER_API_KEY"] = "s3cret"
config = load(code={"access": {"vault/weather": {"agent:forecaster": "read"}}}).config


async def main() -> None:
    async with Runtime(config) as runtime:
        forecaster, stranger = Agent("Forecaster", runtime=runtime), Agent("Stranger", runtime=runtime)
        secret = await forecaster.vault.get("weather")
        print(secret, len(secret.get_secret_value()))
        try:
            await stranger.vault.get("weather")
        except AccessDeniedError as error:
            print(error.message)


asyncio.run(main())
