"""The register on the desk: filters, forms of address, what must have a source, the yearly check, its answers."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.template.loader import get_template
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from missions import checking, keeping
from missions.checking import Wanted
from missions.models import PermanentMission, RegisterCheck
from presessions import desk_home
from presessions.accounts import sessions
from presessions.mail import languages, outbox
from presessions.mail.models import Letter
from presessions.mail.registry import KINDS, Recipient
from presessions.trail import words
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY
from tests.missions.factories import AddressFactory, MissionFactory
from tests.missions.test_admin import address_form

pytestmark = pytest.mark.django_db
LIST = "missions_permanentmission_changelist"
A_YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def page(desk, name, *args, **query):
    response = desk.get(reverse(f"admin:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def listed(desk, **query):
    return re.findall(r'field-code">(..)<', page(desk, LIST, **query))


def change(desk, mission, **facts):
    form = address_form(mission) | facts
    return desk.post(reverse("admin:missions_permanentmission_change", args=[mission.pk]), form)


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_is_asked_for(desk):
    kenya = MissionFactory(iso2="KE", checked_at=MONDAY - A_YEAR + timedelta(hours=1))
    MissionFactory(iso2="PE", email=None, in_geneva="no", source="Blue Book")
    AddressFactory(mission=kenya, email="old@example.org", position=2, bounced_at=MONDAY)
    MissionFactory(iso2="TR", checked_at=MONDAY - A_YEAR)
    assert listed(desk) == ["KE", "PE", "TR"]
    assert listed(desk, checked="no") == ["PE", "TR"]
    assert listed(desk, checked="yes") == ["KE"]
    assert listed(desk, stand="bounced") == ["KE"]
    assert listed(desk, stand="none") == ["PE"]
    assert listed(desk, in_geneva__exact="no") == ["PE"]


# --- One mission ------------------------------------------------------------------------------------------------------


def test_that_there_is_no_mission_in_geneva_needs_its_source(desk):
    mission = MissionFactory(iso2="PE", email=None)
    answer = change(desk, mission, in_geneva="no")
    assert "Who says that there is no mission in Geneva?" in answer.content.decode()
    assert change(desk, mission, in_geneva="no", source="Blue Book, p. 3").status_code == 302
    mission.refresh_from_db()
    assert (mission.in_geneva, mission.source) == ("no", "Blue Book, p. 3")


def test_the_history_says_what_was_changed_when_and_by_whom_and_names_no_address(desk, staff):
    mission = MissionFactory(iso2="KE", email="first@example.org")
    address = mission.addresses.get()
    AddressFactory(mission=mission, email="second@example.org", position=2, bounced_at=MONDAY)
    second = mission.addresses.get(position=2)
    lines = {
        "addresses-TOTAL_FORMS": 3, "addresses-INITIAL_FORMS": 2,
        "addresses-0-id": address.pk, "addresses-0-mission": mission.pk, "addresses-0-email": address.email,
        "addresses-0-role": "mission", "addresses-0-position": 1, "addresses-0-valid_until": "2026-12-31",
        "addresses-1-id": second.pk, "addresses-1-mission": mission.pk, "addresses-1-email": second.email,
        "addresses-1-role": "mission", "addresses-1-position": 2,
        "addresses-2-email": "third@example.org", "addresses-2-role": "other", "addresses-2-position": 3,
    }  # fmt: skip
    assert change(desk, mission, language="fr", address_form_ar="سعادة السفيرة،", **lines).status_code == 302
    events = Event.objects.about(mission)
    assert {(event.code, event.staff_id) for event in events} == {
        (code, staff.pk)
        for code in ("language_changed", "form_changed", "address_changed", "address_works", "address_added")
    }
    text = page(desk, "missions_permanentmission_change", mission.pk).split('class="module history"')[1]
    assert "Mark of a bounce taken away" in text and "Address added" in text and staff.name in text
    assert "@example.org" not in text


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "zh", "ru"])
def test_the_form_of_address_of_a_language_opens_every_letter_in_it_and_no_other(language):
    """`mail/invitation/_opening.txt` stands above all letters to missions; the yearly question is one of them."""
    forms = {f"address_form_{code}": f"Form-{code}" for code in ("en", "fr", "es", "ar", "zh", "ru")}
    mission = MissionFactory(iso2="KE", language=language, **forms)
    context = {"mission": mission, "until": MONDAY.date()}
    recipient = Recipient("mission", str(mission.pk), to="ke@example.org", language=language, context=context)
    with_form = outbox.preview("register_check", recipient).body
    spoken = language if f"Form-{language}" in with_form else "en"  # while its words are not translated
    assert f"Form-{spoken}" in with_form and with_form.count("Form-") == 1
    with translation.override(languages.tag(language)):
        assert mission.form_of_address == f"Form-{language}"
        usual = translation.gettext("Excellency,")
        setattr(mission, f"address_form_{language}", "")
        assert mission.form_of_address == ""
    assert usual in outbox.preview("register_check", recipient).body or spoken == "en"


def test_every_letter_to_a_mission_begins_with_its_form_of_address():
    to_missions = [kind for kind in KINDS.values() if kind.link in ("invitation", "register_check")]
    assert len(to_missions) >= 7
    for kind in to_missions:
        template = Path(get_template(f"{kind.template}/body.txt").origin.name)
        assert 'include "mail/invitation/_opening.txt"' in template.read_text(), kind.name


# --- The yearly check -------------------------------------------------------------------------------------------------


def test_staff_see_whom_the_question_would_go_to_and_send_it_once(desk):
    MissionFactory(iso2="KE"), MissionFactory(iso2="TR"), MissionFactory(iso2="PE", email=None)
    text = page(desk, "missions_permanentmission_ask")
    assert "2 missions would be asked" in text and "1 cannot be written to" in text and "Kenya" in text
    for _click in range(2):
        answer = desk.post(reverse("admin:missions_permanentmission_ask"), {"filter": ""}, follow=True)
    assert "0 missions are asked." in answer.content.decode()
    assert Letter.objects.filter(kind="register_check").count() == 2
    assert "2 have been asked in 2026 already." in page(desk, "missions_permanentmission_ask")


def test_the_question_goes_to_those_that_the_list_shows(desk):
    MissionFactory(iso2="KE"), MissionFactory(iso2="TR", language="fr")
    assert "1 mission would be asked" in page(desk, "missions_permanentmission_ask", language__exact="fr")
    desk.post(reverse("admin:missions_permanentmission_ask"), {"filter": "language__exact=fr"})
    assert RegisterCheck.objects.get().mission.code == "TR"


def test_letters_leave_only_when_staff_have_shown_again_who_they_are(desk, monkeypatch):
    MissionFactory(iso2="KE")
    monkeypatch.setattr(sessions, "is_proved", lambda request, *, now: False)
    answer = desk.post(reverse("admin:missions_permanentmission_ask"), {"filter": ""})
    assert "Is it still you?" in answer.content.decode()
    assert not RegisterCheck.objects.exists()


def asked(staff, said=None):
    mission = MissionFactory(iso2="KE", email="first@example.org")
    checking.ask(PermanentMission.objects.all(), by=staff, now=MONDAY)
    check = RegisterCheck.objects.select_related("mission__state").get()
    if said:
        checking.say_changes(check, said, now=MONDAY)
    return mission, check


def settle(desk, check, step, **posted):
    url = reverse("admin:missions_registercheck_change", args=[check.pk])
    return desk.post(url, {"step": step, **posted}, follow=True).content.decode()


def test_changes_are_shown_before_and_after_and_taken_over_with_a_reason(desk, staff):
    mission, check = asked(staff, Wanted(new=(("new@example.org", "ambassador"),), language="fr"))
    assert "1 mission asks for changes" in page(desk, "missions_registercheck_changelist")
    text = page(desk, "missions_registercheck_change", check.pk)
    assert "new@example.org (Permanent Representative)" in text and "Français" in text
    seen = re.search(r'name="seen" value="(\w+)"', text).group(1)
    text = settle(desk, check, "take_over", seen=seen, reason="Telephoned.")
    assert "Changes taken over" in text and "Telephoned." in text
    mission.refresh_from_db()
    assert (mission.language, mission.addresses.count()) == ("fr", 2)


def test_who_looked_before_the_mission_changed_its_mind_is_asked_again(desk, staff):
    mission, check = asked(staff, Wanted(language="fr"))
    seen = re.search(r'name="seen" value="(\w+)"', page(desk, "missions_registercheck_change", check.pk)).group(1)
    checking.say_changes(check, Wanted(new=(("other@example.org", "mission"),)), now=MONDAY)
    text = settle(desk, check, "take_over", seen=seen)
    assert "Something has changed since you looked" in text and "other@example.org" in text
    assert mission.addresses.count() == 1


def test_changes_are_left_with_a_reason_alone(desk, staff):
    _mission, check = asked(staff, Wanted(language="fr"))
    assert "Please say why the changes are not taken over." in settle(desk, check, "leave")
    assert "Changes not taken over" in settle(desk, check, "leave", reason="Not theirs.")


def test_home_counts_what_waits(staff):
    _mission, _check = asked(staff, Wanted(language="fr"))
    MissionFactory(iso2="TR", checked_at=MONDAY), MissionFactory(iso2="PE", email=None)
    numbers = {str(one.words): (one.number, one.url) for one in desk_home.context(staff, timezone.now())["elsewhere"]}
    assert numbers["mission asks for changes in the register"] == (
        1,
        reverse("admin:missions_registercheck_changelist"),
    )
    number, url = numbers["mission not checked for a year"]
    assert (number, url) == (1, f"{reverse(f'admin:{LIST}')}?checked=no&reached=yes")


def test_the_number_on_home_leads_to_exactly_those(desk, staff):
    MissionFactory(iso2="KE"), MissionFactory(iso2="TR", checked_at=MONDAY), MissionFactory(iso2="PE", email=None)
    assert listed(desk, checked="no", reached="yes") == ["KE"]
    assert checking.not_checked(MONDAY).count() == 1


def test_who_may_not_keep_the_register_sees_no_answer(client, staff):
    _mission, check = asked(staff, Wanted(language="fr"))
    client.force_login(StaffFactory(is_superuser=False))
    assert client.get(reverse("admin:missions_registercheck_change", args=[check.pk])).status_code == 403
    assert client.get(reverse("admin:missions_permanentmission_ask")).status_code == 403


def test_a_mission_s_page_costs_the_same_with_many_addresses(desk, staff):
    mission, _check = asked(staff)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            page(desk, "missions_permanentmission_change", mission.pk)
        return len(queries)

    few = [cost(), cost()][-1]
    for number in range(10):
        AddressFactory(mission=mission, position=number + 2)
    assert cost() == few


def test_everything_that_happens_to_a_mission_has_words():
    happens = {*keeping.CODES.values(), keeping.ADDED, keeping.CHANGED, keeping.ENDED, keeping.REMOVED, keeping.WORKS}
    happens |= {"imported", "added", "changed", "address_bounced"} | {
        f"check_{status}" for status in RegisterCheck.Status.values
    }
    assert {code for code in happens if not words.known("missions.permanentmission", code)} == set()
    assert {code for code in RegisterCheck.Status.values if not words.known("missions.registercheck", code)} == set()
