"""/metrics: figures for whoever brings the token along, in Prometheus's own form, and nothing about anybody."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from presessions import metrics
from presessions.mail import troubles, watch
from presessions.mail.models import Letter
from tests.house.sensitivity import FIELDS, SECRET
from tests.house.world import END, canary

pytestmark = pytest.mark.django_db
TOKEN = "a-token-that-only-the-scraper-has"
LINE = re.compile(r'^presessions_[a-z_]+(\{[a-z]+="[a-z_]+"\})? -?[0-9.e+]+$')


@pytest.fixture
def ask(client, settings):
    settings.METRICS_TOKEN = TOKEN
    return lambda token=TOKEN: client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def letter(state, *, now, **facts):
    given = {"created_at": now, "due_at": now, "not_after": now + timedelta(days=7), "language": "en"}
    number = Letter.objects.count()
    who = {"recipient_kind": "visitor", "recipient_id": str(number)}
    Letter.objects.create(key=f"receipt:{number}", kind="receipt", state=state, **who, **given | facts)


def figures(now):
    return {name: samples for name, _words, samples in metrics.families(now)}


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], f"{TOKEN} ", "é"])
def test_without_the_token_there_is_no_such_page(ask, token):
    assert ask(token).status_code == 404


def test_without_the_setting_there_is_none_either(ask, client, settings):
    settings.METRICS_TOKEN = ""
    assert {ask().status_code, ask("").status_code, client.get("/metrics").status_code} == {404}


def test_with_it_each_line_is_one_that_prometheus_reads(ask):
    answer = ask()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    lines = answer.content.decode().splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert [line for line in samples if not LINE.match(line)] == []
    named = {re.split(r"[{ ]", line)[0] for line in samples}
    told = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert named <= told == {line.split()[2] for line in lines if line.startswith("# HELP")}


def test_letters_are_counted_by_state_and_the_oldest_that_is_due_says_for_how_long(now):
    assert figures(now)["oldest_due_letter_seconds"] == {(): 0}
    letter("pending", now=now, next_attempt_at=now - timedelta(minutes=5))
    letter("pending", now=now, next_attempt_at=now + timedelta(minutes=5))
    letter("failed", now=now)
    letter("failed", now=now, created_at=now - timedelta(days=9))
    found = figures(now)
    assert found["letters"][("state", "pending"),] == 2
    assert found["letters"][("state", "failed"),] == 1
    assert found["letters"][("state", "uncertain"),] == 0
    assert found["oldest_due_letter_seconds"] == {(): 300}


def test_alarms_are_counted_by_what_is_wrong_and_signs_of_life_by_their_age(now):
    watch.alarm("held:12", now=now)
    watch.alarm("held:13", now=now)
    watch.seen("backup", now - timedelta(seconds=90))
    found = figures(now)
    assert found["alarms"][("what", "held"),] == 2
    assert {code for ((_what, code),) in found["alarms"]} == set(troubles.TITLES)
    assert found["sign_of_life_age_seconds"][("part", "backup"),] == 90


def test_a_dead_redis_is_a_figure_and_no_error(now, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    found = figures(now)
    assert (found["redis_up"], found["bells_waiting"]) == ({(): 0}, {(): None})
    assert "\npresessions_bells_waiting" not in metrics.text_of(metrics.families(now))


def test_the_same_few_queries_whatever_lies_there(ask, world, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        assert ask().status_code == 200


def test_nothing_of_anybody_is_told(ask, world):
    page = metrics.text_of(metrics.families(END)) + ask().content.decode()
    marks = [canary(label) for label, who in FIELDS.items() if who == SECRET]
    assert [mark for mark in marks if mark in page] == []
    assert timezone.is_aware(END)
    assert world.application.reference not in page
