"""URLs of requests: values stay where the author put them."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from sre_core.components.node import Node
from sre_core.components.web.api_url import build_url
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench

NODE = Node(id="N", type="APICall")
FILE = {"url": "smythfs://default.team/a1/x.png", "mimetype": "image/png", "size": 3}


async def url(template, values=None, *, variables=None, secrets=None, shared=None):
    async def share(value, *, from_caller):
        (shared if shared is not None else []).append((value, from_caller))
        return "https://files.example/1?sig=a&b"

    async with bench(variables=variables, secrets=secrets) as place:
        return await build_url(template, values or {}, place.context, node=NODE, share=share)


@pytest.mark.parametrize(
    "value", ["hello world & co", "a=b&c=d", "x#y", "1+1", "é/?", "100%", "%26", "{{KEY(k)}}", "a\r\nb"]
)
async def test_a_value_in_the_query_is_one_value(value):
    built = await url("https://api.example/s?query={{q}}&page=1", {"q": value}, secrets={"k": "hidden"})
    assert parse_qs(urlsplit(built.text).query) == {"query": [value], "page": ["1"]}
    assert built.trusted


@pytest.mark.parametrize("value", ["a/b", "../../admin", "x?admin=1", "x#y", "a;b", "%2e%2e", "..%2f", "\\..\\", " "])
async def test_a_value_in_the_path_is_one_segment(value):
    built = await url("https://api.example/coins/{{id}}/price?x=1", {"id": value})
    segments = urlsplit(built.text).path.split("/")
    assert [unquote(segment) for segment in segments] == ["", "coins", value, "price"]
    assert urlsplit(built.text).query == "x=1"


@pytest.mark.parametrize("values", [{"a": "..", "b": ""}, {"a": ".", "b": "."}, {"a": "", "b": "."}])
async def test_a_value_cannot_lead_to_another_path(values):
    with pytest.raises(ComponentError, match="another path"):
        await url("https://api.example/x/{{a}}{{b}}/y", values)


async def test_dots_of_the_author_are_the_authors():
    assert (await url("https://api.example/x/../{{a}}", {"a": "y"})).text == "https://api.example/x/../y"


async def test_a_plus_of_the_author_is_a_space_and_one_in_a_value_is_a_plus():
    built = await url("https://api.example/s?q=a+b&r={{r}}", {"r": "c+d"})
    assert built.text == "https://api.example/s?q=a%20b&r=c%2Bd"


async def test_a_missing_value_is_empty_and_the_fragment_goes():
    built = await url("  https://api.example/s/{{x}}?q={{y.z}}#{{w}}", {"y": {}})
    assert built.text == "https://api.example/s/?q="


async def test_values_that_are_no_text_are_written_as_json():
    built = await url("https://api.example/{{n}}?o={{o}}&b={{b}}", {"n": 5, "o": {"a": 1}, "b": True})
    assert built.text == "https://api.example/5?o=%7B%22a%22%3A1%7D&b=true"


async def test_the_authors_variables_and_secrets_are_trusted_and_encoded_too():
    built = await url(
        "{{BASE}}/{{PATH}}/x?k={{KEY(k)}}",
        variables={"BASE": "https://api.example:8443/v1", "PATH": "a b/c"},
        secrets={"k": "a+b/c=&"},
    )
    assert built.text == "https://api.example:8443/v1/a%20b/c/x?k=a%2Bb%2Fc%3D%26"
    assert built.trusted
    assert not built.foreign


async def test_a_password_of_the_authors_may_have_any_signs():
    secrets = {"user": "me@work", "pw": "p/w#@:?"}
    built = await url("https://{{KEY(user)}}:{{KEY(pw)}}@api.example/x", secrets=secrets)
    assert (urlsplit(built.text).hostname, urlsplit(built.text).path) == ("api.example", "/x")
    assert unquote(urlsplit(built.text).password) == secrets["pw"]
    assert built.trusted


@pytest.mark.parametrize(
    ("template", "values", "expected", "foreign"),
    [
        ("{{url}}", {"url": "http://b.example/a b?c=d"}, "http://b.example/a%20b?c=d", True),
        ("{{base}}/x/{{p}}", {"base": "http://b.example", "p": "a/b"}, "http://b.example/x/a%2Fb", True),
        ("{{base}}{{path}}", {"base": "http://b.example", "path": "/x"}, "http://b.example/x", True),
        ("https://{{h}}/x", {"h": "localhost:80"}, "https://localhost:80/x", True),
        ("https://{{h}}:8080/x", {"h": "b.example"}, "https://b.example:8080/x", True),
        ("https://{{sub}}.example.com/x", {"sub": "team"}, "https://team.example.com/x", False),
        ("https://api.example:{{port}}/x", {"port": 8080}, "https://api.example:8080/x", False),
        ("{{scheme}}://api.example/x", {"scheme": "http"}, "http://api.example/x", False),
        ("https://{{user}}@api.example/x", {"user": "u"}, "https://u@api.example/x", False),
        ("https://api.example{{p}}", {"p": ".evil.example"}, "https://api.example.evil.example", True),
        ("https://{{p}}example.com", {"p": "evil-"}, "https://evil-example.com", True),
        ("https://{{p}}.com/x", {"p": "evil"}, "https://evil.com/x", True),
    ],
)
async def test_a_host_that_an_input_has_a_part_in_is_not_trusted(template, values, expected, foreign):
    built = await url(template, values)
    assert built.text == expected
    assert not built.trusted
    assert built.foreign is foreign


@pytest.mark.parametrize(
    "value",
    ["evil.example/", "evil.example#", "evil.example?", "x@evil.example", "evil.example\\", "a b", "[::1]", "%2f"],
)
@pytest.mark.parametrize(
    "template", ["https://{{v}}.example.com/x", "https://api.example{{v}}", "https://{{v}}@api.example/", "{{BASE}}/x"]
)
async def test_a_part_of_a_host_cannot_end_the_host(template, value):
    with pytest.raises(ComponentError, match="no host has"):
        await url(template, {"v": value}, variables={"BASE": "https://{{v}}.example.com"})


async def test_an_input_that_is_no_text_is_no_url():
    with pytest.raises(ComponentError):
        await url("{{url}}", {"url": {"a": 1}})


async def test_an_input_hides_the_variable_of_its_name_and_its_trust():
    built = await url("{{BASE}}/x", {"BASE": "http://127.0.0.1"}, variables={"BASE": "https://api.example"})
    assert built.text == "http://127.0.0.1/x"
    assert not built.trusted


@pytest.mark.parametrize("value", ["smythfs://default.team/a1/x.png", FILE])
async def test_a_file_in_the_query_becomes_a_link(value):
    shared = []
    built = await url("https://api.example/s?image={{i}}&x=1", {"i": value}, shared=shared)
    assert parse_qs(urlsplit(built.text).query) == {"image": ["https://files.example/1?sig=a&b"], "x": ["1"]}
    assert shared == [(value, True)]


async def test_a_file_of_the_authors_becomes_a_link_that_is_read_as_the_agent():
    shared = []
    built = await url("https://api.example/s?a=smythfs://a1.agent/x&b=smythfs://a1.agent/x%20y&x=1", shared=shared)
    link = ["https://files.example/1?sig=a&b"]
    assert parse_qs(urlsplit(built.text).query) == {"a": link, "b": link, "x": ["1"]}
    assert shared == [("smythfs://a1.agent/x", False), ("smythfs://a1.agent/x y", False)]


async def test_a_file_of_the_web_is_its_address():
    shared = []
    value = {**FILE, "url": "https://b.example/x.png"}
    built = await url("https://api.example/s?image={{i}}", {"i": value}, shared=shared)
    assert built.text == "https://api.example/s?image=https%3A%2F%2Fb.example%2Fx.png"
    assert shared == []
