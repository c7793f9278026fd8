"""JobSchedulerTrigger: what it fires, and when it is due."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sre_core.components.node import Node
from sre_core.components.triggers.job_scheduler import JobSchedulerTrigger
from sre_core.errors import ComponentError
from sre_core.testing.bench import bench

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)  # a Saturday, the day before summer time begins in Paris


def trigger(**data: Any) -> JobSchedulerTrigger:
    made = JobSchedulerTrigger.of(Node(id="T", type="JobSchedulerTrigger", data=data))
    assert isinstance(made, JobSchedulerTrigger)
    return made


@pytest.mark.parametrize(
    ("given", "fired"),
    [
        ('{"a": [1, "é"]}', {"a": [1, "é"]}),
        ({"a": 1}, {"a": 1}),
        ("", {}),
        ('{"to": "{{who}}", "n": "{{list}}"}', {"to": "Ann", "n": [1, 2]}),
    ],
)
async def test_the_payload_is_what_the_author_set(given, fired):
    async with bench(variables={"who": "Ann", "list": [1, 2]}) as place:
        assert await place.run("JobSchedulerTrigger", {"payload": given}) == {"Payload": fired}


async def test_a_variable_cannot_change_the_form_of_the_payload():
    async with bench(variables={"who": '", "admin": "yes'}) as place:
        found = await place.run("JobSchedulerTrigger", {"payload": '{"to": "{{who}}"}'})
    assert found == {"Payload": {"to": '", "admin": "yes'}}


def test_an_interval_is_counted_from_the_run_before():
    assert trigger(interval="90").next_run(NOON) == NOON.replace(minute=1, second=30)


@pytest.mark.parametrize(
    ("cron", "timezone", "due"),
    [
        ("*/15 * * * *", "UTC", datetime(2026, 3, 28, 12, 15, tzinfo=UTC)),
        ("0 12 * * *", "UTC", datetime(2026, 3, 29, 12, tzinfo=UTC)),
        ("0 8 * * 1-5", "UTC", datetime(2026, 3, 30, 8, tzinfo=UTC)),
        ("0 8 * * *", "Europe/Paris", datetime(2026, 3, 29, 8, tzinfo=ZoneInfo("Europe/Paris"))),
        ("0 0 29 2 *", "UTC", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_cron_says_the_next_time_in_its_zone(cron, timezone, due):
    assert trigger(cron=cron, timezone=timezone).next_run(NOON) == due


def test_without_a_schedule_nothing_is_due():
    assert trigger().next_run(NOON) is None
    assert list(trigger().check()) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"cron": "every day"}, "cron expression"),
        ({"cron": "61 * * * *"}, "cron expression"),
        ({"cron": "0 0 30 2 *"}, "cron expression"),
        ({"cron": "* * * * *", "timezone": "Mars/Olympus"}, "time zone"),
        ({"cron": "* * * * *", "timezone": "../../etc/passwd"}, "time zone"),
        ({"cron": "* * * * *", "interval": 5}, "an interval and a cron"),
    ],
)
def test_a_wrong_schedule_is_told_before_anything_runs(data, said):
    with pytest.raises(ComponentError, match=said):
        trigger(**data).next_run(NOON)
    assert [problem for problem in trigger(**data).check() if said in problem.message]


def test_what_is_wrong_is_told_all_at_once_with_the_settings():
    flaws = trigger(cron="99 * * * *", timezone="Mars/Olympus", payload='{"a": ').check()
    assert [flaw.setting for flaw in flaws] == ["cron", "timezone", "payload"]


def test_a_payload_that_is_no_json_is_told_before_anything_runs():
    assert len(list(trigger(payload='{"a": ').check())) == 1


@pytest.mark.parametrize("interval", [0, -1, "often"])
def test_an_interval_is_some_time(interval):
    with pytest.raises(ValueError, match="interval"):
        trigger(interval=interval)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ComponentError, match="time zone"):
        trigger(interval=1).next_run(datetime(2026, 1, 1))
