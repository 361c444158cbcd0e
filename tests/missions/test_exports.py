"""What of the register and the missions' answers leaves the house, and to whom."""

import csv
import io

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from missions.models import Answers, Invitation, Said
from presessions.exports import unguarded
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ContactFactory
from tests.missions.factories import MissionFactory
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db
LISTS = ("missions_permanentmission", "missions_invitation", "missions_reply", "applications_contact")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def staff(client):
    user = StaffFactory(name="Nadia Staff")
    client.force_login(user)
    return user


@pytest.fixture
def kenya(db):
    return CountryMeetingFactory(state=StateFactory(iso2="KE"))


def answered(mission, meeting, note="May we ask about prisons?"):
    invitation = Invitation.objects.write_down(meeting.series, [mission], MONDAY)[mission.pk]
    said = Answers({meeting.pk: Said("in_person", True)}, ((meeting.pk, "Grace Delegate", "Counsellor"),), note)
    invitation.answer(said, meetings=[meeting], version=0, now=MONDAY)
    return invitation


def export(client, model, audience, filter=""):
    asked = {"audience": audience, "format": "csv", "filter": filter}
    return client.post(reverse(f"admin:{model}_export"), asked)


def rows(answer):
    assert answer.status_code == 200, answer.status_code
    told = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    return [dict(zip(told[0], map(unguarded, row), strict=True)) for row in told[1:]]


def test_the_register_goes_out_with_its_addresses(client, staff):
    mission = MissionFactory(iso2="KE", email="first@example.org")
    mission.addresses.create(email="second@example.org", position=2, role="human_rights")
    mission.addresses.create(email="gone@example.org", position=3, bounced_at=MONDAY)
    MissionFactory(iso2="TR", email=None)
    lines = rows(export(client, "missions_permanentmission", "register"))
    told = [[line[name] for name in ("code", "e-mail address", "whose", "order", "bounced")] for line in lines]
    assert told == [
        ["KE", "first@example.org", "the mission’s mailbox", "1", ""],
        ["KE", "second@example.org", "human rights officer", "2", ""],
        ["KE", "gone@example.org", "the mission’s mailbox", "3", "2026-03-02 10:00"],
        ["TR", "", "", "", ""],
    ]
    assert [row["code"] for row in rows(export(client, "missions_permanentmission", "register", "reached=no"))] == [
        "TR"
    ]


def test_each_audience_of_invitations_gets_its_columns(client, staff, kenya):
    answered(MissionFactory(iso2="TR", email="tr@example.org"), kenya)
    said = {"Türkiye", "Kenya", "Grace Delegate", "May we ask about prisons?", "tr@example.org"}
    told = {}
    for audience in ("internal", "door", "statistics"):
        cells = " | ".join(" | ".join(row.values()) for row in rows(export(client, "missions_invitation", audience)))
        told[audience] = said - {words for words in said if words in cells}
    assert told == {
        "internal": {"tr@example.org"},
        "door": {"May we ask about prisons?", "tr@example.org"},
        "statistics": {"Grace Delegate", "May we ask about prisons?", "tr@example.org"},
    }


def test_answers_go_out_as_the_list_shows_them(client, staff, kenya):
    answered(MissionFactory(iso2="TR"), kenya)
    (row,) = rows(export(client, "missions_reply", "answers", "answer__exact=in_person"))
    assert (row["mission of"], row["meeting on"], row["answer"]) == ("Türkiye", "Kenya", "In person")
    assert (row["wishes to take the floor"], "Grace" in str(row)) == ("yes", False)
    assert rows(export(client, "missions_reply", "answers", "answer__exact=no")) == []


def test_contacts_go_out_with_their_addresses_and_that_is_in_their_history(client, staff):
    contact = ContactFactory(email="contact@example.org")
    (row,) = rows(export(client, "applications_contact", "internal", "on=confirmed"))
    assert (row["e-mail address"], row["language"]) == ("contact@example.org", "English")
    assert Event.objects.about(contact).filter(code="exported").count() == 1


@pytest.mark.parametrize("model", LISTS)
def test_every_export_asks_who_may_and_says_who_did(client, staff, kenya, model):
    answered(MissionFactory(iso2="TR"), kenya)
    ContactFactory()
    page = client.get(reverse(f"admin:{model}_changelist")).content.decode()
    assert reverse(f"admin:{model}_export") in page
    choices = client.get(reverse(f"admin:{model}_export")).context["audiences"]
    assert export(client, model, choices[0][0].name).status_code == 200
    assert Event.objects.about(staff).filter(code="exported", refused=False).count() == 1
    reader = StaffFactory(is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(reader)
    assert reverse(f"admin:{model}_export") not in client.get(reverse(f"admin:{model}_changelist")).content.decode()
    assert export(client, model, choices[0][0].name).status_code == 403
    assert Event.objects.about(reader).get(code="exported").refused


@pytest.mark.parametrize(
    ("model", "audience"), [*zip(LISTS, ("register", "internal", "answers", "internal"), strict=True)]
)
def test_many_rows_cost_no_more_queries_than_one(client, staff, kenya, model, audience):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            export(client, model, audience)
        return len(queries)

    answered(MissionFactory(iso2="TR"), kenya)
    ContactFactory()
    cost()
    few = cost()
    for code in ("AL", "DZ", "AO"):
        answered(MissionFactory(iso2=code), kenya)
        ContactFactory()
    assert cost() == few
