"""The register of organisations: who is the same as whom, found by an exact name, merged and split, and forgotten."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from applications import at_risk, erasure, organisations
from applications.models import Application, KnownName, Organisation
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, answers
from tests.applications.test_admin import text
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, SessionFactory, StateFactory

pytestmark = pytest.mark.django_db

NHRI = {"kind": "nhri", "scope": "", "ganhri_status": "a"}
LATER = MONDAY + timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def staff():
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def call_on(code, number=54):
    """The call on one State in one series."""
    series = SeriesFactory(session=SessionFactory(number=number))
    return StateCallFactory(meeting=CountryMeetingFactory(series=series, state=StateFactory(iso2=code)))


@pytest.fixture
def kenya():
    return call_on("KE")


def sent(state_call, name="Rights Now", **facts):
    return ApplicationFactory(state_call=state_call, submitted=True, organisation_name=name, **facts)


def page(name, *arguments):
    return reverse(f"admin:applications_{name}", args=arguments)


def page_of(organisation):
    return page("organisation_change", organisation.pk)


def found(desk, words):
    response = desk.get(page("organisation_changelist"), {"q": words})
    return {row.pk for row in response.context["cl"].result_list}


# --- When an application is sent -------------------------------------------------------------------------------------


def test_a_draft_is_in_no_register_and_what_is_sent_is(kenya):
    assert ApplicationFactory(state_call=kenya).organisation is None
    application = sent(kenya, name_latin="Rights Now!")
    register = application.organisation
    assert (register.name, register.name_latin, register.kind) == ("Rights Now", "Rights Now!", "cso")


@pytest.mark.parametrize("spelling", ["RIGHTS NOW", "The Rights  Now", "Ríghts-Now!"])
def test_the_same_name_however_it_is_written_is_the_same_organisation(kenya, spelling):
    first, again = sent(call_on("KE", 48)), sent(kenya, spelling)
    assert again.organisation == first.organisation
    assert Organisation.objects.count() == 1


def test_a_name_in_latin_letters_or_in_its_own_finds_it_again(kenya):
    first = sent(call_on("KE", 48), "حقوق الآن", name_latin="Huquq Al-An")
    assert sent(kenya, "Huquq al An").organisation == first.organisation
    assert sent(call_on("KE", 49), "حقوق الآن", name_latin="Al-An").organisation == first.organisation


@pytest.mark.parametrize(
    ("facts", "same"),
    [({"scope": "national"}, False), ({"scope": "international"}, True), (NHRI, False)],
)
def test_institutions_of_two_states_may_have_one_name_and_only_an_international_one_is_the_same(kenya, facts, same):
    """There is a National Human Rights Commission in many States."""
    there = sent(call_on("TR"), "Human Rights Commission", **facts)
    here = sent(kenya, "Human Rights Commission", **facts)
    assert (here.organisation == there.organisation) is same


def test_an_nhri_and_a_cso_of_one_name_are_two(kenya):
    cso = sent(kenya, "People’s Advocate")
    assert sent(kenya, "People’s Advocate", **NHRI).organisation != cso.organisation


def test_where_two_have_the_name_nobody_guesses(kenya, desk):
    one, other = sent(call_on("KE", 48)), sent(call_on("KE", 49))
    register = organisations.split(other, by=StaffFactory(), now=MONDAY)
    third = sent(kenya).organisation
    assert third not in (one.organisation, register)
    assert "the same name" in text(desk.get(page_of(third)))


def test_one_that_staff_entered_by_hand_is_found_by_its_name(desk, kenya):
    posted = {"name": "Rights Now", "name_latin": "", "kind": "cso", "note": "Met in Geneva."}
    desk.post(page("organisation_add"), posted)
    assert sent(kenya).organisation == Organisation.objects.get()


def test_who_changes_the_name_after_sending_is_found_under_both(desk, kenya):
    application = sent(kenya)
    application.save_section("institution", answers(name="Justice Today")["institution"], now=LATER)
    for name in ("Rights Now", "Justice Today"):
        assert found(desk, name) == {application.organisation_id}


# --- Search ----------------------------------------------------------------------------------------------------------


def test_the_register_is_searched_by_a_whole_name_a_reference_or_a_whole_address(desk, kenya):
    wanted = sent(kenya, email="amina@example.org").organisation
    sent(kenya, "Rights Now Kenya", email="omar@example.org")
    for words in ("rights now", "  Rights Now!", wanted.reference, wanted.reference[:6].lower(), "Amina@example.org"):
        assert found(desk, words) == {wanted.pk}
    for words in ("rights", "now rights", "example.org", "%"):
        assert wanted.pk not in found(desk, words)


def test_no_name_is_fetched_for_the_list(desk, kenya, django_assert_max_num_queries):
    sent(kenya)
    with django_assert_max_num_queries(30) as queries:
        desk.get(page("organisation_changelist"))
    assert not [query["sql"] for query in queries if '"applications_organisation"."name"' in query["sql"]]


# --- Before ----------------------------------------------------------------------------------------------------------


def test_the_page_of_an_application_says_where_the_same_organisation_applied_before(desk, kenya):
    earlier = sent(call_on("KE", 48))
    now = sent(kenya)
    other = sent(kenya, "Others")
    shown = desk.get(page("application_change", now.pk)).content.decode()
    assert page("application_change", earlier.pk) in shown
    assert page_of(now.organisation) in shown
    shown = desk.get(page("application_change", other.pk)).content.decode()
    assert page("application_change", earlier.pk) not in shown


def test_the_page_of_an_organisation_shows_all_that_it_sent_and_its_history(desk, kenya):
    earlier, now = sent(call_on("KE", 48)), sent(kenya)
    shown = desk.get(page_of(now.organisation)).content.decode()
    for application in (earlier, now):
        assert application.reference in shown


# --- Merge -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(kenya):
    """One institution that wrote its name in two ways, from one address."""
    kept = sent(call_on("KE", 48), "Rights Now Kenya", email="amina@example.org").organisation
    other = sent(kenya, "Rights Now", email="amina@example.org").organisation
    Organisation.objects.filter(pk=kept.pk).update(note="First.")
    Organisation.objects.filter(pk=other.pk).update(note="Second.")
    return Organisation.objects.get(pk=kept.pk), Organisation.objects.get(pk=other.pk)


def preview(desk, kept, other):
    return desk.get(page("organisation_merge", kept.pk), {"with": other.reference}, follow=True)


def press_merge(desk, kept, other, **posted):
    seen = preview(desk, kept, other).context["plan"].seen
    posted = {"with": other.reference, "seen": seen, "names": "kept", **posted}
    return desk.post(page("organisation_merge", kept.pk), posted, follow=True)


def test_one_that_was_written_for_from_the_same_address_is_suggested(desk, two):
    kept, other = two
    shown = desk.get(page_of(kept)).content.decode()
    assert "written for from the same address" in shown
    assert f"{page('organisation_merge', kept.pk)}?with={other.reference}" in shown


def test_what_a_merge_would_do_is_shown_before_and_looking_does_nothing(desk, two):
    kept, other = two
    shown = text(preview(desk, kept, other))
    for words in ("Rights Now Kenya", "First.", "Second.", "48 ", "54 "):
        assert words in shown
    assert Organisation.objects.count() == 2


def test_a_merge_moves_applications_names_and_notes_and_says_so_on_both(desk, staff, two):
    kept, other = two
    press_merge(desk, kept, other, reason="Same letterhead.")
    register = Organisation.objects.get()
    assert (register.pk, register.name, register.note) == (kept.pk, "Rights Now Kenya", "First.\n\nSecond.")
    assert register.applications.count() == 2
    assert found(desk, "Rights Now") == found(desk, "Rights Now Kenya") == {kept.pk}
    for one in (kept, other):
        event = Event.objects.about(one).last()
        assert (event.code, event.staff_id, event.refused) == ("merged", staff.pk, False)
    assert Event.objects.about(kept).last().reason.text == "Same letterhead."


def test_the_other_ones_name_may_be_the_one_that_stays(desk, two):
    press_merge(desk, *two, names="other")
    assert Organisation.objects.get().name == "Rights Now"


def test_it_can_be_found_by_its_exact_name_too_and_neither_itself_nor_nobody_can(desk, two):
    kept, other = two
    assert desk.get(page("organisation_merge", kept.pk), {"with": "rights now"}).context["other"] == other
    for words in (kept.reference, "Rights Now Kenya", "Nobody", "", "\0"):
        response = desk.get(page("organisation_merge", kept.pk), {"with": words}, follow=True)
        assert "No other organisation has this reference or exactly this name." in text(response)


def test_what_has_changed_since_it_was_seen_is_not_merged_and_the_refusal_stays(desk, two):
    kept, other = two
    seen = preview(desk, kept, other).context["plan"].seen
    sent(call_on("KE", 49))  # one more of the other's
    posted = {"with": other.reference, "seen": seen}
    response = desk.post(page("organisation_merge", kept.pk), posted, follow=True)
    assert "They have changed since you saw them." in text(response)
    assert Organisation.objects.count() == 2
    assert Event.objects.about(kept).last().refused


def test_of_two_who_merge_at_once_the_second_is_told(two):
    kept, other = two
    organisations.merge(kept, other, by=StaffFactory(), now=MONDAY)
    with pytest.raises(WrongStep, match="somebody has merged it already"):
        organisations.merge(Organisation(pk=kept.pk, reference=kept.reference), other, by=StaffFactory(), now=MONDAY)
    assert [event.refused for event in Event.objects.about(kept)] == [False, True]


# --- Split -----------------------------------------------------------------------------------------------------------


def test_an_application_of_another_one_gets_its_own_and_takes_its_name_with_it(desk, two):
    kept, other = two
    application = other.applications.get()
    organisations.merge(kept, other, by=StaffFactory(), now=MONDAY)
    desk.post(page("organisation_split", kept.pk), {"application": application.pk})
    application.refresh_from_db()
    assert application.organisation_id not in (None, kept.pk)
    assert found(desk, "Rights Now") == {application.organisation_id}
    assert found(desk, "Rights Now Kenya") == {kept.pk}


def test_one_that_stands_alone_cannot_be_split_and_the_refusal_stays(desk, kenya):
    application = sent(kenya)
    posted = {"application": application.pk}
    response = desk.post(page("organisation_split", application.organisation_id), posted, follow=True)
    assert "has an organisation of its own already" in text(response)
    assert Event.objects.about(application).last().refused


@pytest.mark.parametrize("asked", ["404", "x", ""])
def test_only_an_application_of_its_own_can_be_split_off(desk, two, asked):
    assert desk.post(page("organisation_split", two[0].pk), {"application": asked}).status_code == 404
    theirs = two[1].applications.get().pk
    assert desk.post(page("organisation_split", two[0].pk), {"application": theirs}).status_code == 404


# --- Who may, and people at risk -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["organisation_merge", "organisation_split"])
def test_merging_and_splitting_need_their_rights(client, two, name):
    reader = StaffFactory(is_superuser=False)
    may = ("view_organisation", "view_application")
    reader.user_permissions.set(Permission.objects.filter(codename__in=may))
    client.force_login(reader)
    assert client.post(page(name, two[0].pk), {"with": two[1].reference}).status_code == 403
    shown = client.get(page_of(two[0])).content.decode()
    assert page("organisation_merge", two[0].pk) not in shown


def test_an_organisation_of_which_all_is_masked_is_masked_and_found_by_no_name(desk, staff, kenya):
    application = sent(kenya, "Canary Rights", email="canary@example.org")
    register = application.organisation
    at_risk.mark(application, by=staff, now=MONDAY)
    for words in ("Canary Rights", "canary@example.org"):
        assert found(desk, words) == set()
    shown = desk.get(page_of(register)).content.decode()
    assert "Canary" not in shown
    assert application.reference not in shown
    assert desk.post(page_of(register), {"name": "x", "kind": "cso"}).status_code == 403
    assert desk.get(page("organisation_merge", register.pk)).status_code == 403


def test_what_is_masked_is_left_out_of_what_it_did_before_and_of_suggestions(desk, staff, two):
    kept, other = two
    masked = kept.applications.get()
    organisations.merge(kept, other, by=staff, now=MONDAY)
    third = sent(call_on("KE", 49), "Third", email="amina@example.org")
    at_risk.mark(masked, by=staff, now=MONDAY)
    for address in (page_of(kept), page("application_change", other.applications.model.objects.latest("pk").pk)):
        assert masked.reference not in desk.get(address).content.decode()
    fourth = sent(call_on("KE", 47), "Fourth").organisation
    assert masked.reference not in preview(desk, fourth, kept).content.decode()
    at_risk.mark(third, by=staff, now=MONDAY)
    assert third.organisation.reference not in desk.get(page_of(kept)).content.decode()


# --- Forgotten -------------------------------------------------------------------------------------------------------


def test_the_last_application_takes_the_organisation_and_its_names_with_it(kenya):
    application = sent(kenya)
    erasure.erase(application, now=LATER)
    assert not Organisation.objects.exists()
    assert not KnownName.objects.exists()


def test_a_name_that_only_the_erased_one_had_goes_and_the_others_stay(desk, two):
    kept, other = two
    organisations.merge(kept, other, by=StaffFactory(), now=MONDAY)
    erased = Application.objects.get(state_call__call__series__session__number=48)
    erasure.erase(erased, now=LATER)
    kept.refresh_from_db()
    assert kept.name == "Rights Now"
    assert found(desk, "Rights Now Kenya") == set()
    assert found(desk, "Rights Now") == {kept.pk}


def test_the_name_that_takes_its_place_is_not_a_masked_one(kenya, staff):
    """The register shows it while anything that the organisation has sent is not masked."""
    named, older = sent(kenya, "Rights Now"), sent(kenya, "Rights for All")
    masked = sent(kenya, "Zorblatt Watch", security_note="They follow us.", now=LATER)
    for other in (older, masked):
        for one in (named, other):
            one.refresh_from_db()
        organisations.merge(named.organisation, other.organisation, by=staff, now=LATER)
    erasure.erase(named, now=LATER)
    assert Organisation.objects.get().name == "Rights for All"


def test_a_name_that_staff_gave_stays(desk, two):
    kept, other = two
    organisations.merge(kept, other, by=StaffFactory(), now=MONDAY)
    desk.post(page_of(kept), {"name": "Rights Now International", "name_latin": "", "kind": "cso", "note": ""})
    erasure.erase(Application.objects.get(state_call__call__series__session__number=48), now=LATER)
    kept.refresh_from_db()
    assert kept.name == "Rights Now International"
    assert found(desk, "Rights Now International") == {kept.pk}
