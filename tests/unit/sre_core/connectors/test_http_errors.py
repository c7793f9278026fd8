"""What the status of a reply means, and when its server wants to be asked again."""

import pytest

from sre_core.connectors import error_for_status, retry_after_seconds
from sre_core.errors import (
    ConflictError,
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ConnectorError),
        (400, ConnectorError),
        (401, UnauthenticatedError),
        (402, UnauthenticatedError),
        (403, UnauthenticatedError),
        (404, NotFoundError),
        (408, UnavailableError),
        (409, ConflictError),
        (410, NotFoundError),
        (412, ConflictError),
        (413, ConnectorError),
        (422, ConnectorError),
        (429, RateLimitedError),
        (500, UnavailableError),
        (503, UnavailableError),
        (529, UnavailableError),
    ],
)
def test_a_status_becomes_an_error(status, kind):
    error = error_for_status(status, "chat at example.org", detail="because")
    assert type(error) is kind
    assert error.message.startswith(f"chat at example.org failed with status {status}")


def test_the_explanation_is_told_on_one_line_and_not_all_of_it():
    error = error_for_status(400, "chat", detail="too\n\nlong " + "x" * 1000)
    assert error.message.startswith("chat failed with status 400: too long xxx")
    assert len(error.message) < 400


def test_secrets_are_left_out_of_the_explanation():
    error = error_for_status(400, "chat", detail="sk-123 and sk-1234 are bad", secrets=["sk-123", "", "sk-1234"])
    assert error.message == "chat failed with status 400: ********** and ********** are bad"


def test_without_an_explanation_the_status_explains_itself():
    assert error_for_status(503, "chat").message == "chat failed with status 503 (Service Unavailable)"
    assert error_for_status(599, "chat").message == "chat failed with status 599 (no standard status)"


@pytest.mark.parametrize("status", [401, 403])
def test_the_explanation_of_refused_credentials_is_never_told(status):
    error = error_for_status(status, "chat", detail="the key sk-123 is wrong")
    assert "sk-123" not in f"{error!r} {error.hint}"


def test_a_redirection_is_told_as_one():
    assert "redirection" in error_for_status(307, "chat", detail="elsewhere").message


def test_the_time_to_wait_comes_with_rate_limits_and_failing_servers():
    for status in (429, 503):
        assert error_for_status(status, "chat", headers={"Retry-After": "3"}).retry_after == 3
        assert error_for_status(status, "chat").retry_after is None


def test_the_hint_can_be_a_better_one():
    assert error_for_status(404, "chat", hint="pull it first").hint == "pull it first"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 60),
        ({"Retry-After": "Wed, 21 Oct 2015 07:26:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "?", "Retry-After": "1"}, 1),
    ],
)
def test_the_time_to_wait_is_read_from_every_form(headers, seconds):
    assert retry_after_seconds(headers, now=1445412420.0) == seconds
