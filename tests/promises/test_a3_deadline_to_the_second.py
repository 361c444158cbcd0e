"""A3: the deadline holds to the second, and is fair to slow lines.

Nothing is taken at the first instant that is too late, unless that person had opened the form before it: then
everything is taken for 60 minutes more, and marked. When the form was opened is what the server has seen and noted;
nothing that a browser sends can move it.
"""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from applications import late, rules, uploads
from applications.models import Application, Closed, StateCall, Upload
from presessions.mail.models import Letter
from presessions.upr.dates import GENEVA, time_between
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, answers
from tests.applications.hostile import pdf
from tests.applications.test_journey import path_in, posted
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

DEADLINES = {  # the first instant too late
    "winter": "2026-03-03 00:00:00+01:00",
    "the night spring skips an hour": "2026-03-29 01:30:00+01:00",
    "summer": "2026-04-01 00:00:00+02:00",
}
HOUR = 3600
TABLE = [  # when the form was opened and when something is sent, in seconds after the deadline; is it taken, and marked
    (-2 * HOUR, -1, "in time"),
    (-1, -1, "in time"),
    (-2 * HOUR, 0, "in grace"),
    (-1, 0, "in grace"),
    (-1, 1, "in grace"),
    (-1, HOUR - 1, "in grace"),
    (-11 * HOUR, HOUR - 1, "in grace"),
    (-1, HOUR, "too late"),
    (-1, HOUR + 1, "too late"),
    (0, 0, "too late"),
    (0, 1, "too late"),
    (1, HOUR - 1, "too late"),
]
EDGES = [row for row in TABLE if row[:2] in {(-1, -1), (-1, 0), (-1, HOUR - 1), (-1, HOUR), (0, 0)}]
CASES = [
    pytest.param(datetime.fromisoformat(deadline), *row, id=f"{name}, opened {row[0]}, sent {row[1]}")
    for name, deadline in DEADLINES.items()
    for row in (TABLE if name == "winter" else EDGES)
]
WAYS_IN = [*(f"save {section}" for section in rules.SECTIONS if section != "safety"), "begin", "piece", "send"]


def start(iso2="KE", **more):
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2=iso2)), **more)


def open_form(application, client=None):
    """Press the button behind the link in the mail, now."""
    client = client or Client()
    letter = Letter.objects.filter(recipient_id=application.reference).latest("pk")
    assert client.post(path_in(letter)).status_code == 302
    return client


def enter(client, way):
    """Try to bring something in; the status of the answer."""
    step, _, section = way.partition(" ")
    if step == "send":
        return client.post(reverse("applications:check"), {"understood": "on"}).status_code
    if step == "begin":
        return client.post(reverse("applications:upload"), {"kind": "upr_submission", "name": "a.pdf", "size": 9})
    if step == "piece":
        upload = Upload.objects.earliest("pk")
        address = reverse("applications:upload_piece", args=[upload.key])
        return client.post(f"{address}?from=0", b"%PDF-1.4", content_type="application/octet-stream")
    if section == "file":
        facts = {"file": SimpleUploadedFile("new.pdf", pdf(pages=2))}
    else:
        facts = posted(answers().get(section, {})) | {"save": "1"}
    return client.post(reverse("applications:section", args=[section]), facts).status_code


def taken(client, way):
    """True where it was taken, False where a page says that it is too late."""
    answer = enter(client, way)
    status = getattr(answer, "status_code", answer)
    assert status in (200, 302, 410), (way, status)
    return status != 410


@pytest.mark.parametrize("deadline, opened, sent, verdict", CASES)
def test_every_way_in_closes_on_the_second_and_has_an_hour_of_grace(deadline, opened, sent, verdict):
    application = ApplicationFactory(state_call=start(closes_at=deadline))
    uploads.begin(application, "upr_submission", name="begun.pdf", size=8, now=MONDAY)
    with time_machine.travel(deadline + timedelta(seconds=opened), tick=False):
        client = open_form(application)
    with time_machine.travel(deadline + timedelta(seconds=sent), tick=False):
        for way in WAYS_IN:
            Application.objects.update(in_grace=False)
            assert taken(client, way) is (verdict != "too late"), way
            if way not in ("begin", "piece"):  # what has only begun to come is nothing yet
                assert Application.objects.get().in_grace is (verdict == "in grace"), way
    assert Application.objects.get().was_sent is (verdict != "too late")


@pytest.mark.parametrize("seconds, status", [(-1, 200), (0, 410), (HOUR - 1, 410)])
@pytest.mark.parametrize("deadline", DEADLINES.values(), ids=DEADLINES)
def test_nobody_begins_in_the_hour_of_grace(client, deadline, seconds, status):
    deadline = datetime.fromisoformat(deadline)
    state_call = start(closes_at=deadline)
    with time_machine.travel(deadline + timedelta(seconds=seconds), tick=False):
        assert client.get(reverse("applications:start", args=[54, "KE"])).status_code == status
        assert client.post(reverse("applications:start", args=[54, "KE"]), {}).status_code == status
        if status == 410:
            with pytest.raises(Closed):
                Application.start(state_call, email="a@example.org", language="en", now=deadline)


@pytest.mark.parametrize(
    "deadline", ["2026-10-25 02:00:00+02:00", "2026-10-25 02:00:00+01:00", "2026-03-29 03:00:00+02:00"]
)
def test_an_hour_of_grace_is_an_hour_whatever_the_clocks_do(deadline):
    deadline = datetime.fromisoformat(deadline).astimezone(GENEVA)
    state_call = start(closes_at=deadline)
    for now, is_open in [(HOUR - 1, True), (HOUR, False)]:
        instant = datetime.fromtimestamp(deadline.timestamp() + now, GENEVA)
        opened_at = datetime.fromtimestamp(deadline.timestamp() - 30, GENEVA)
        assert time_between(deadline, instant) == timedelta(seconds=now)
        assert state_call.is_open(instant, opened_at) is is_open
        assert StateCall.objects.open(instant, opened_at).exists() is is_open


def test_an_extended_state_has_its_own_hour_and_the_others_have_theirs():
    kenya, chile = start(closes_at=MONDAY + timedelta(days=1)), start("CL")
    applications = [ApplicationFactory(state_call=state_call) for state_call in (kenya, chile)]
    with time_machine.travel(MONDAY + timedelta(hours=23, minutes=59), tick=False):
        clients = [open_form(application) for application in applications]
    with time_machine.travel(MONDAY + timedelta(days=1, hours=1), tick=False):
        assert [taken(client, "save issues") for client in clients] == [False, True]
    assert [one.in_grace for one in Application.objects.order_by("pk")] == [False, False]


# --- More time for one alone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opened, sent, verdict", EDGES)
def test_more_time_for_one_closes_on_its_own_second_with_its_own_hour(opened, sent, verdict):
    until = MONDAY + timedelta(days=3)
    late_one = ApplicationFactory(state_call=start(closes_at=MONDAY + timedelta(hours=1)))
    other = ApplicationFactory(state_call=late_one.state_call)
    uploads.begin(late_one, "upr_submission", name="begun.pdf", size=8, now=MONDAY)
    late.allow(late_one, until=until, reason="No power.", by=StaffFactory(), now=MONDAY + timedelta(hours=2))
    with time_machine.travel(until + timedelta(seconds=opened), tick=False):
        client, stranger = open_form(late_one), open_form(other)
    with time_machine.travel(until + timedelta(seconds=sent), tick=False):
        for way in WAYS_IN:
            if way != "piece":  # of an upload that only the late one has begun
                assert not taken(stranger, way), way
        for way in WAYS_IN:
            assert taken(client, way) is (verdict != "too late"), way
    assert Application.objects.get(pk=late_one.pk).was_sent is (verdict != "too late")
    assert Application.objects.get(pk=late_one.pk).in_grace is (verdict == "in grace")


# --- The link once more -----------------------------------------------------------------------------------------------


@pytest.fixture
def draft():
    return ApplicationFactory(state_call=start(closes_at=MONDAY + timedelta(hours=1)))


LATE = MONDAY + timedelta(hours=1, minutes=10)


def test_a_link_opened_after_the_deadline_gives_no_grace(draft):
    with time_machine.travel(LATE, tick=False):
        client = open_form(draft)
        assert not any(taken(client, way) for way in ("save issues", "save file", "begin", "send"))


def test_nor_does_it_take_away_what_this_browser_has(draft):
    """Somebody's tab has crashed, and the link is the way back: the form was open all the time."""
    with time_machine.travel(MONDAY, tick=False):
        client = open_form(draft)
    with time_machine.travel(LATE, tick=False):
        assert taken(open_form(draft, client), "save issues")
    with time_machine.travel(MONDAY + timedelta(hours=2), tick=False):
        assert not taken(open_form(draft, client), "save issues")


def test_one_form_opened_in_time_gives_no_grace_to_another(draft):
    other = ApplicationFactory(state_call=draft.state_call)
    with time_machine.travel(MONDAY, tick=False):
        client = open_form(draft)
    with time_machine.travel(LATE, tick=False):
        assert not taken(open_form(other, client), "send")


def test_leaving_the_form_ends_its_hour(draft):
    with time_machine.travel(MONDAY, tick=False):
        client = open_form(draft)
        client.post(reverse("applications:leave"))
    with time_machine.travel(LATE, tick=False):
        assert not taken(open_form(draft, client), "send")


def test_what_is_withdrawn_has_no_hour(draft):
    with time_machine.travel(MONDAY, tick=False):
        client = open_form(draft)
        draft.withdraw(now=MONDAY)
    with time_machine.travel(LATE, tick=False):
        enter(client, "send")
    assert Application.objects.get().status == "withdrawn"


# --- Forged -----------------------------------------------------------------------------------------------------------

EARLY = MONDAY.isoformat()
NAMES = ("opened_at", "opened", "shown", "now", "grace", "in_grace", "received_at", "as_read", "closes_at", "by")


def late_client(draft):
    with time_machine.travel(LATE, tick=False):
        return open_form(draft)


@pytest.mark.parametrize("name", NAMES)
def test_no_hidden_value_header_cookie_or_address_makes_it_earlier(draft, name):
    client = late_client(draft)
    client.cookies[name] = EARLY
    headers = {"date": EARLY, "if-unmodified-since": EARLY, f"x-{name.replace('_', '-')}": EARLY}
    with time_machine.travel(LATE, tick=False):
        for path, facts in [
            (reverse("applications:check"), {"understood": "on"}),
            (reverse("applications:section", args=["issues"]), posted(answers()["issues"])),
            (reverse("applications:upload"), {"kind": "upr_submission", "name": "a.pdf", "size": 9}),
        ]:
            assert client.post(f"{path}?{name}=1", facts | {name: EARLY}, headers=headers).status_code == 410
    assert not Application.objects.get().in_grace


@pytest.mark.parametrize(
    "noted", ["2099-01-01T00:00:00+00:00", "2026-03-02T10:00:00", "yesterday", "", None, 0, 1_700_000_000, [EARLY], {}]
)
def test_a_note_that_makes_no_sense_gives_no_grace(draft, noted):
    client = late_client(draft)
    session = client.session
    session["opened_at"] = noted
    session.save()
    with time_machine.travel(LATE, tick=False):
        assert not taken(client, "save issues")
        assert not taken(client, "send")


def test_the_note_is_kept_by_the_server_and_the_browser_has_only_a_key(draft):
    with time_machine.travel(MONDAY, tick=False):
        client = open_form(draft)
        assert datetime.fromisoformat(client.session["opened_at"]) == MONDAY
    assert not re.search("2026|opened", " ".join(morsel.value for morsel in client.cookies.values()))


def test_before_the_deadline_and_after_it_the_page_says_until_when(draft):
    with time_machine.travel(MONDAY, tick=False):
        client = open_form(draft)
        assert "The deadline has passed" not in client.get(reverse("applications:tasks")).content.decode()
    until = "you may still finish until Mon 2 March 2026, 11:59 Geneva time"
    with time_machine.travel(LATE, tick=False):
        for page in ("tasks", "check"):
            assert until in " ".join(client.get(reverse(f"applications:{page}")).content.decode().split())
        section = client.get(reverse("applications:section", args=["issues"])).content.decode()
        assert until in " ".join(section.split())
    with time_machine.travel(MONDAY + timedelta(hours=2), tick=False):
        assert "cannot be sent any more" in client.get(reverse("applications:tasks")).content.decode()
