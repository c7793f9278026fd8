"""Redirects: how many, with what, and where they may not lead."""

import pytest
from aiohttp import FormData, web

from sre_core.components.http_client import HTTPClient
from sre_core.errors import ComponentError
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration

SECRET = {"Authorization": "Bearer a", "Cookie": "b=c", "Proxy-Authorization": "d", "X-Api-Key": "e"}


@pytest.fixture
async def client():
    """127.0.0.1 plays the internet; all else, 127.0.0.2 too, is a private network."""
    client = HTTPClient(public=lambda address: address == "127.0.0.1")
    yield client
    await client.aclose()


def to(location, status=302):
    return web.Response(status=status, headers={"Location": location})


def steps(*locations, status=302):
    """Redirects at /0, /1, … and greets at the end."""

    def answer(received):
        at = int(received.target.partition("?")[0].strip("/") or 0)
        return to(locations[at], status) if at < len(locations) else web.json_response("hello")

    return answer


@pytest.mark.parametrize(
    ("status", "method", "sent"),
    [
        (301, "GET", "GET"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "DELETE", "DELETE"),
    ],
)
async def test_a_redirect_changes_the_method_as_browsers_do(client, status, method, sent):
    async with local_service(steps("/1", status=status)) as service:
        body = b"x" if method in {"POST", "PUT", "DELETE"} else None
        reply = await client.request(method, service.url, data=body, headers={"Content-Type": "a/b"})
        assert reply.url == f"{service.url}/1"
        last = service.received[-1]
        assert last.method == sent
        kept = sent == method and body is not None
        assert last.body == (b"x" if kept else b"")
        assert last.headers.get("content-type") == ("a/b" if sent == method else None)


async def test_a_form_is_sent_again(client):
    form = FormData({"a": "1"}, default_to_multipart=True)
    async with local_service(steps("/1", status=307)) as service:
        await client.request("POST", service.url, data=form, headers={"content-type": "text/plain"})
        first, second = service.received
        assert first.body == second.body
        assert b'name="a"' in second.body
        assert second.headers["content-type"] == first.headers["content-type"]
        assert second.headers["content-type"].startswith("multipart/form-data; boundary=")


async def test_ten_redirects_are_followed_and_no_more(client):
    async with local_service(steps(*(f"/{n}" for n in range(1, 11)))) as service:
        assert (await client.request("GET", service.url)).status == 200
    async with local_service(steps(*(f"/{n}" for n in range(1, 12)))) as service:
        with pytest.raises(ComponentError, match="more than 10 times"):
            await client.request("GET", service.url)
        assert len(service.received) == 11


async def test_a_circle_ends(client):
    async with local_service(lambda _: to("/")) as service:
        with pytest.raises(ComponentError, match="redirects more than 10 times"):
            await client.request("GET", service.url)


async def test_redirects_need_not_be_followed(client):
    async with local_service(steps("/1")) as service:
        reply = await client.request("GET", service.url, follow_redirects=False)
        assert (reply.status, reply.headers["location"]) == (302, "/1")


@pytest.mark.parametrize("status", [300, 304, 302])
async def test_a_status_without_a_place_to_go_is_a_reply(client, status):
    async with local_service(lambda _: web.Response(status=status)) as service:
        assert (await client.request("GET", service.url)).status == status


async def test_credentials_stay_at_their_origin(client):
    async with local_service(lambda _: "hello") as other, local_service(steps("/1", f"{other.url}/x")) as service:
        await client.request("GET", service.url, headers={**SECRET, "Accept": "f/g"})
        wanted = {name.lower() for name in SECRET}
        assert wanted <= set(service.received[0].headers)
        assert wanted <= set(service.received[1].headers)
        assert not wanted & set(other.received[0].headers)
        assert other.received[0].headers["accept"] == "f/g"


async def test_credentials_do_not_come_back_either(client):
    home = []
    async with local_service(lambda _: to(home[0])) as other, local_service(steps(other.url)) as service:
        home.append(f"{service.url}/1")
        await client.request("GET", service.url, headers=SECRET)
        assert "authorization" not in service.received[1].headers


async def test_credentials_in_a_redirect_are_not_sent(client):
    async with local_service(steps("/1")) as service:
        named = service.url.replace("http://", "http://user:pass@")
        async with local_service(lambda _: to(f"{named}/1")) as first:
            await client.request("GET", first.url)
        assert "authorization" not in service.received[0].headers


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706434/",
        "http://[::1]/",
        "//127.0.0.2/",
        "http://127.0.0.1@127.0.0.2/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ],
)
@pytest.mark.parametrize("trusted", [False, True])
async def test_a_redirect_to_a_private_network_is_refused(client, location, trusted):
    async with local_service(steps("/1", location)) as service:
        with pytest.raises(ComponentError):
            await client.request("GET", service.url, trusted=trusted)
        assert len(service.received) == 2


async def test_the_authors_own_host_may_redirect_to_itself_and_to_the_internet():
    client = HTTPClient(public=lambda _: False)
    async with local_service(steps("/1")) as service:
        assert (await client.request("GET", service.url, trusted=True)).status == 200
        with pytest.raises(ComponentError):
            await client.request("GET", service.url)
    await client.aclose()


async def test_trust_is_for_one_port_and_does_not_come_back():
    # A redirect leads from the author's host through another one back to it.
    home = []
    async with local_service(lambda _: to(home[0])) as other:
        internet = {"127.0.0.1"}
        client = HTTPClient(public=lambda address: address in internet)
        async with local_service(lambda r: to(other.url) if r.target == "/" else web.Response()) as service:
            home.append(f"{service.url.replace('127.0.0.1', 'localhost')}/admin")
            start = service.url.replace("127.0.0.1", "localhost")
            with pytest.raises(ComponentError, match="localhost"):
                await client.request("GET", start, trusted=True)
            assert len(other.received) == 1
            internet.clear()
            with pytest.raises(ComponentError):
                await client.request("GET", start, trusted=True)
            assert len(other.received) == 1
            assert [received.target for received in service.received] == ["/", "/"]
        await client.aclose()


async def test_userinfo_of_the_authors_is_sent_as_basic_and_only_to_its_origin():
    client = HTTPClient(public=lambda address: address == "127.0.0.1")
    async with local_service(lambda _: "hello") as other, local_service(steps(other.url)) as service:
        url = service.url.replace("http://", "http://us%40er:p%3Ass@")
        await client.request("GET", url, trusted=True)
        assert service.received[0].headers["authorization"] == "Basic dXNAZXI6cDpzcw=="
        assert "authorization" not in other.received[0].headers
        with pytest.raises(ComponentError, match="no user and no password"):
            await client.request("GET", url)
    await client.aclose()


async def test_an_illegal_redirect_names_no_more_than_the_origin(client):
    async with local_service(lambda _: to("http://user:s3cret@[")) as service:
        with pytest.raises(ComponentError, match="illegal URL") as caught:
            await client.request("GET", f"{service.url}/?key=s3cret")
        assert "s3cret" not in str(caught.value)
