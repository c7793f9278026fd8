"""The calls of an agent of SmythOS: its file as it is, with a server on loopback in the place of CoinGecko."""

import json
from pathlib import Path

import pytest

from sre_core.testing.bench import bench
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

FILE = Path(__file__).parents[4] / "data" / "smyth" / "crypto-info-agent.smyth"
HOST = "https://api.coingecko.com"
DETAILS = "localization=false&tickers=false&market_data=true&community_data=false&developer_data=false&sparkline=false"


@pytest.mark.parametrize(
    ("node", "name", "value", "target"),
    [
        ("CS002", "search_query", "bitcoin", "/api/v3/search?query=bitcoin"),
        ("CS002", "search_query", "hello world & co", "/api/v3/search?query=hello%20world%20%26%20co"),
        ("CS002", "search_query", "a+b=c#d/é", "/api/v3/search?query=a%2Bb%3Dc%23d/%C3%A9"),
        ("CP002", "coin_id", "bitcoin,ethereum", "/api/v3/simple/price?ids=bitcoin,ethereum&vs_currencies=usd"),
        (
            "CP002",
            "coin_id",
            "x&vs_currencies=eur",
            "/api/v3/simple/price?ids=x%26vs_currencies%3Deur&vs_currencies=usd",
        ),
        (
            "CM002",
            "coin_id",
            "wrapped/../bitcoin?x",
            f"/api/v3/coins/wrapped%2F..%2Fbitcoin%3Fx?{DETAILS}",
        ),
    ],
)
async def test_a_node_of_the_agent_asks_for_what_its_author_meant(node, name, value, target):
    components = {component["id"]: component for component in json.loads(FILE.read_text())["components"]}
    data = components[node]["data"]
    async with local_service(lambda _: {"coins": [{"id": "bitcoin"}]}) as service, bench() as place:
        moved = {**data, "url": data["url"].replace(HOST, service.url)}
        outputs = await place.run("APICall", moved, inputs={name: value}, outputs=["Response.coins"])
        (received,) = service.received
        assert (received.method, received.body) == ("GET", b"")
        assert received.target == target
        assert outputs["Response"] == {"coins": [{"id": "bitcoin"}]}
        assert "authorization" not in received.headers
