"""The yearly check: asked once a year, answered with one button or by changes, which wait until staff have looked."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from missions import checking, work
from missions.checking import Wanted
from missions.models import MissionTask, PermanentMission, RegisterCheck
from presessions.mail import registry
from presessions.mail.models import Letter, LinkVisit, PersonalLink
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.applications.factories import MONDAY
from tests.mail.letters import link_in
from tests.missions.factories import AddressFactory, MissionFactory
from tests.missions.pages import dump

pytestmark = pytest.mark.django_db
YESTERDAY, TODAY = date(2026, 3, 1), date(2026, 3, 2)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya():
    return MissionFactory(iso2="KE", email="first@example.org")


def ask(by, *codes):
    missions = PermanentMission.objects.filter(code__in=codes) if codes else PermanentMission.objects.all()
    return checking.ask(missions, by=by, now=MONDAY)


@pytest.fixture
def check(kenya, staff):
    ask(staff)
    return RegisterCheck.objects.select_related("mission__state").get()


@pytest.fixture
def path(check):
    return link_in(Letter.objects.get(kind="register_check"))


def happened(subject):
    return list(Event.objects.about(subject).values_list("code", "staff_id", "refused"))


def changes(mission, **typed):
    page = {"answer": "changes", "language": mission.language, "form": ""}
    for number in (1, 2, 3):
        page |= {f"email_{number}": "", f"role_{number}": "mission"}
    return page | typed


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_each_mission_with_an_address_is_asked_once_a_year(kenya, staff, clock):
    MissionFactory(iso2="TR", email=None)
    assert (ask(staff), ask(staff)) == (1, 0)
    letter = Letter.objects.get()
    assert (letter.kind, letter.to, letter.recipient_id) == ("register_check", "first@example.org", str(kenya.pk))
    assert happened(kenya) == [("check_asked", staff.pk, False)]
    clock.move_to(MONDAY + timedelta(days=365))
    assert checking.ask(PermanentMission.objects.all(), by=staff, now=MONDAY + timedelta(days=365)) == 1


def test_only_those_are_asked_that_staff_have_chosen(kenya, staff):
    MissionFactory(iso2="TR")
    assert ask(staff, "TR") == 1
    assert RegisterCheck.objects.get().mission.code == "TR"


def test_the_letter_goes_on_to_the_next_address_or_to_a_person(kenya, check, staff):
    AddressFactory(mission=kenya, email="second@example.org", position=2)
    letter = Letter.objects.get()
    registry.RECIPIENTS["mission"].on_bounce(letter, now=MONDAY, code="5.1.1", dead=True)
    second = Letter.objects.get(replaces=letter)
    assert second.to == "second@example.org"
    registry.RECIPIENTS["mission"].on_bounce(second, now=MONDAY, code="5.1.1", dead=True)
    assert MissionTask.objects.get().reason == "bounced"


def test_who_has_answered_is_not_asked_once_more(kenya, check):
    checking.say_same(check, now=MONDAY)
    assert registry.KINDS["register_check"].rewrite(Letter.objects.get()) is None


def test_a_hundred_missions_are_found_with_the_queries_of_one(staff):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            list(checking.to_ask(PermanentMission.objects.all(), MONDAY))
            list(checking.not_checked(MONDAY))
        return len(queries)

    MissionFactory(iso2="KE")
    few = cost()
    for code in ("AL", "DZ", "AO"):
        MissionFactory(iso2=code)
    assert cost() == few


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_we_have_and_no_address_whole_but_the_readers_own(kenya, path):
    AddressFactory(mission=kenya, email="zelda.private@example.org", position=2, role="ambassador")
    AddressFactory(mission=kenya, email="quentin@example.org", position=3, valid_until=YESTERDAY)
    text = Client().get(path).content.decode()
    assert "first@example.org" in text and "z…@example.org" in text and "Permanent Representative" in text
    assert "zelda" not in text and "q…" not in text


def test_it_says_that_addresses_are_shortened_only_where_one_is(kenya, path):
    assert "shortened" not in Client().get(path).content.decode()
    AddressFactory(mission=kenya, email="zelda.private@example.org", position=2)
    assert "Addresses are shortened" in Client().get(path).content.decode()


def test_opening_the_page_changes_nothing_but_the_note_of_the_visit(path):
    before = dump()
    for _time in range(3):
        assert Client().get(path).status_code == 200
        assert Client().head(path).status_code == 200
    assert dump() == before
    assert LinkVisit.objects.count() == 6


def test_one_button_says_that_all_is_right_and_pressed_twice_says_it_once(kenya, check, path):
    for _click in range(2):
        assert Client().post(path, {"answer": "same"}).status_code == 302
    check.refresh_from_db()
    kenya.refresh_from_db()
    assert (check.status, check.answered_at, kenya.checked_at) == ("same", MONDAY, MONDAY)
    assert [code for code, _who, _refused in happened(check)] == ["asked", "same"]
    assert [code for code, _who, _refused in happened(kenya)] == ["check_asked", "check_same"]
    assert "all is right" in Client().get(path).content.decode()


def test_changes_wait_and_change_nothing(kenya, check, path):
    first = kenya.addresses.get()
    typed = changes(
        kenya, gone=[first.pk], email_1="new@example.org", role_1="ambassador", language="fr", form="Madame,"
    )
    for _click in range(2):
        assert Client().post(path, typed).status_code == 302
    check.refresh_from_db()
    kenya.refresh_from_db()
    assert checking.wanted(check) == Wanted((first.pk,), (("new@example.org", "ambassador"),), "fr", "Madame,")
    assert check.status == "changes"
    assert (kenya.language, kenya.checked_at, kenya.addresses.valid(TODAY).count()) == ("en", None, 1)
    assert [code for code, _who, _refused in happened(check)] == ["asked", "changes"]
    page = Client().get(path).content.decode()
    assert "n…@example.org" in page and "new@example.org" not in page
    assert work.checks_to_settle() == 1


def test_another_answer_takes_the_place_of_the_first_until_staff_have_settled_it(kenya, check, staff):
    checking.say_changes(check, Wanted(language="fr"), now=MONDAY)
    assert checking.say_same(check, now=MONDAY)
    assert (check.status, check.answer) == ("same", "")
    checking.say_changes(check, Wanted(language="es"), now=MONDAY)
    checking.take_over(check, by=staff, now=MONDAY)
    with pytest.raises(WrongStep):
        checking.say_same(check, now=MONDAY)
    assert happened(check)[-1] == ("same", None, True)
    kenya.refresh_from_db()
    assert kenya.language == "es"


def test_what_is_no_change_is_pointed_at_and_nothing_typed_is_lost(kenya, check, path):
    answer = Client().post(path, changes(kenya))
    assert answer.status_code == 422 and "Nothing is changed here." in answer.content.decode()
    answer = Client().post(path, changes(kenya, email_1="no address", form="Excelencia:"))
    assert answer.status_code == 422 and "Excelencia:" in answer.content.decode()
    check.refresh_from_db()
    assert check.status == "asked"


@pytest.mark.parametrize("posted", [{}, {"answer": "other"}])
def test_a_post_without_a_button_says_nothing(check, path, posted):
    Client().post(path, posted)
    check.refresh_from_db()
    assert check.status == "asked"


def test_an_address_of_another_mission_cannot_be_struck_out(kenya, check, path):
    other = AddressFactory(mission=MissionFactory(iso2="TR", email=None))
    assert Client().post(path, changes(kenya, gone=[other.pk])).status_code == 422


def test_the_link_ends_after_ninety_days_and_altered_ones_never_open(path, clock):
    assert Client().get(path[:-2] + "x/").status_code == 404
    clock.move_to(MONDAY + timedelta(days=90))
    assert Client().get(path).status_code == 200
    clock.move_to(MONDAY + timedelta(days=91))
    ended = Client().get(path)
    assert ended.status_code == 404 and "This link has ended" in ended.content.decode()


def test_the_link_of_a_check_opens_no_invitation(path):
    token = path.rstrip("/").split("/")[-1]
    assert Client().get(reverse("missions:invitation", args=[token])).status_code == 404
    assert PersonalLink.objects.get().purpose == "register_check"


# --- Settling ---------------------------------------------------------------------------------------------------------


def test_changes_are_taken_over_with_what_was_before_kept(kenya, check, staff):
    first = kenya.addresses.get()
    said = Wanted((first.pk,), (("new@example.org", "ambassador"),), "fr", "Madame l’Ambassadrice,")
    checking.say_changes(check, said, now=MONDAY)
    assert [(one.what, one.before, one.after) for one in checking.differences(check)] == [
        ("no longer theirs", "first@example.org (the mission’s mailbox)", ""),
        ("new address", "", "new@example.org (Permanent Representative)"),
        ("language of letters", "English", "Français"),
        ("form of address in French", "", "Madame l’Ambassadrice,"),
    ]
    checking.take_over(check, by=staff, now=MONDAY, reason="Telephoned.")
    kenya.refresh_from_db()
    first.refresh_from_db()
    assert (first.valid_until, kenya.language, kenya.address_form_fr) == (YESTERDAY, "fr", "Madame l’Ambassadrice,")
    assert [one.email for one in kenya.addresses.valid(TODAY)] == ["new@example.org"]
    assert kenya.checked_at == MONDAY
    codes = [code for code, _who, _refused in happened(kenya)]
    assert codes[2:] == ["check_taken_over", "address_ended", "address_added", "language_changed", "form_changed"]
    assert Event.objects.about(check).last().reason.text == "Telephoned."
    assert [one.what for one in checking.differences(check)][:2] == ["no longer theirs", "new address"]


def test_an_address_that_had_bounced_works_again_when_the_mission_says_so(kenya, check, staff):
    old = AddressFactory(mission=kenya, email="old@example.org", position=2, bounced_at=MONDAY, valid_until=YESTERDAY)
    checking.say_changes(check, Wanted(new=(("OLD@example.org", "human_rights"),)), now=MONDAY)
    checking.take_over(check, by=staff, now=MONDAY)
    old.refresh_from_db()
    assert (old.bounced_at, old.valid_until, old.role, kenya.addresses.count()) == (None, None, "human_rights", 2)


def test_two_of_us_settle_it_once_and_the_second_is_told(kenya, check, staff):
    checking.say_changes(check, Wanted(new=(("new@example.org", "mission"),)), now=MONDAY)
    late = RegisterCheck.objects.select_related("mission__state").get(pk=check.pk)
    checking.take_over(check, by=staff, now=MONDAY)
    with pytest.raises(WrongStep, match="changes taken over"):
        checking.leave(late, by=staff, now=MONDAY, reason="No.")
    assert kenya.addresses.count() == 2
    assert happened(check)[-1] == ("left", staff.pk, True)


@pytest.mark.parametrize("step", [checking.take_over, checking.leave])
def test_what_the_mission_says_in_the_last_moment_is_looked_at_first(kenya, check, staff, step):
    """Between the look of staff and their click the mission, or whoever else holds its link, has answered anew."""
    checking.say_changes(check, Wanted(language="fr"), now=MONDAY)
    seen = RegisterCheck.objects.select_related("mission__state").get(pk=check.pk)
    checking.say_changes(check, Wanted(new=(("other@example.net", "mission"),)), now=MONDAY)
    with pytest.raises(WrongStep):
        step(seen, by=staff, now=MONDAY, reason="Telephoned.")
    kenya.refresh_from_db()
    check.refresh_from_db()
    assert (check.status, kenya.language, kenya.addresses.count()) == ("changes", "en", 1)
    assert happened(check)[-1][1:] == (staff.pk, True)


def test_who_leaves_changes_says_why(check, staff):
    checking.say_changes(check, Wanted(language="fr"), now=MONDAY)
    with pytest.raises(WrongStep, match="say why"):
        checking.leave(check, by=staff, now=MONDAY)
    checking.leave(check, by=staff, now=MONDAY, reason="They wrote by mistake.")
    assert check.status == "left"
    assert check.mission.checked_at is None
