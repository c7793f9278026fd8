"""What providers answer when they refuse, by their documentation, as our errors."""

import json
from pathlib import Path
from typing import Any

import pytest

from sre_core import errors
from sre_core.errors import ConnectorError, NotFoundError, RateLimitedError, UnavailableError
from sre_openai.failures import reply_failure, status_failure

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "fixtures/errors.json").read_text(encoding="utf-8"))
SECRET = "sk-secret-abc"


def refusal(row: dict[str, Any], model: str | None = "m") -> ConnectorError:
    body, headers = json.dumps(row["body"]).encode(), row.get("headers", {})
    return status_failure(row["status"], body, headers, what="asking 'm' at host", model=model, secrets=[SECRET])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['status']} {row['page'].split('/')[2]}")
def test_a_refusal_of_the_documentation_is_understood(row: dict[str, Any]):
    error = refusal(row)
    assert type(error) is getattr(errors, row["kind"])
    assert "asking 'm' at host" in str(error)
    assert row.get("says", "") in str(error)
    assert row.get("hint", "") in (error.hint or "")
    assert getattr(error, "retry_after", None) == row.get("retry_after")
    assert row["page"].startswith("https://")


def test_no_refusal_shows_a_secret_that_the_server_repeats():
    for status in (400, 402, 404, 409, 418, 429, 500):
        body = {"error": {"message": f"bad header 'Bearer {SECRET}'", "code": "x"}}
        error = refusal({"status": status, "body": body})
        assert SECRET not in f"{error} {error!r} {error.hint}"


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"null", b"3", b"[]", b'{"error": null}', b"\xff"])
def test_a_refusal_without_words_is_told_by_its_status(body: bytes):
    error = status_failure(500, body, {}, what="asking 'm' at host", model="m")
    assert isinstance(error, UnavailableError)
    assert "status 500 (Internal Server Error)" in str(error)
    error = status_failure(404, body, {}, what="listing models at host")
    assert isinstance(error, NotFoundError)
    assert error.hint == "check the `url` of the connector"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Slow down", "code": "rate_limit_exceeded"}, RateLimitedError),
        ({"message": "Sorry", "code": "server_error"}, UnavailableError),
        ({"message": "Provider disconnected", "code": 502}, UnavailableError),
        ({"message": "Slow down", "code": 429}, RateLimitedError),
        ({"message": "This cannot be", "type": "invalid_request_error"}, ConnectorError),
        ({"message": "No", "code": "bio_policy"}, ConnectorError),
        ("it went wrong", UnavailableError),
        (None, UnavailableError),
        ({"code": ["odd"]}, UnavailableError),
    ],
)
def test_an_error_inside_a_reply_may_pass_unless_the_request_is_at_fault(error: Any, kind: type[ConnectorError]):
    assert type(reply_failure(error, what="asking 'm' at host", model="m")) is kind


def test_a_context_that_is_full_in_the_middle_of_a_reply_says_what_to_do():
    error = reply_failure({"message": "Input exceeds the context window of this model"}, what="asking", model="m")
    assert "too long" in str(error)
    assert "Limits.window_tokens" in str(error.hint)


def test_only_who_is_sent_to_the_other_api_is_told_to_go_there():
    unknown = "Unexpected endpoint or method. (POST /v1/responses)"
    assert "responses" not in (reply_failure(unknown, what="asking", model="m").hint or "")
    pinned = {"message": "This model is only supported in v1/responses and not in v1/chat/completions."}
    assert "responses" in (reply_failure(pinned, what="asking", model="m").hint or "")


def test_a_status_may_be_said_as_text():
    assert isinstance(reply_failure({"code": "429", "message": "Slow down"}, what="asking"), RateLimitedError)
