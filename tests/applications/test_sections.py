"""What each section asks of whom, what is kept of it, and what the pages around them say."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from applications import entering, throttle
from applications.models import Application, Consent, Speaker
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, answers
from tests.applications.test_journey import open_session, posted

pytestmark = pytest.mark.django_db

NHRI = {"kind": "nhri", "ganhri_status": "a", "ganhri_status_on": "2024-05-31"}
COALITION = {"is_coalition": "True", "coalition_members": "1. Voices\n2. Mothers\n3. VOICES!\nRights Now"}
GUARDIAN = {"guardian_name": "C. Canary", "guardian_agrees": "on"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application(client):
    application = ApplicationFactory()
    open_session(client, application)
    return application


def save(client, section, then="", **changed):
    facts = {name: value for name, value in (posted(answers().get(section, {})) | changed).items() if value is not None}
    return client.post(reverse("applications:section", args=[section]) + then, facts | {"save": "1"}, follow=True)


def saved(section):
    return Application.objects.get().answers(section)


def text_of(page):
    return " ".join(re.sub("<[^>]+>", " ", page.content.decode()).split())


# --- NHRIs and CSOs ---------------------------------------------------------------------------------------------------


def test_the_first_question_is_what_one_is(client, application):
    page = client.get(reverse("applications:section", args=["institution"])).content.decode()
    names = re.findall(r'<(?:input|textarea)[^>]* name="(\w+)"', page)
    assert next(name for name in names if name not in ("csrfmiddlewaretoken", "application", "as_read")) == "kind"
    assert "Only for NHRIs" in page and "Only for CSOs" in page


def test_an_nhri_is_asked_for_its_accreditation_and_its_date(client, application):
    save(client, "institution", **NHRI)
    kept = saved("institution")
    assert (kept["ganhri_status"], str(kept["ganhri_status_on"])) == ("a", "2024-05-31")


def test_what_only_csos_are_asked_is_dropped_for_an_nhri(client, application):
    """Both groups stand on the page where a browser cannot hide one."""
    save(client, "institution", **NHRI, **COALITION, scope="national", ecosoc_status="special")
    kept = saved("institution")
    assert [kept[name] for name in ("scope", "ecosoc_status", "is_coalition", "coalition_members")] == [
        "",
        "",
        None,
        "",
    ]
    assert "institution" not in Application.objects.get().missing()


def test_what_only_nhris_are_asked_is_dropped_for_a_cso(client, application):
    save(client, "institution", **NHRI | {"kind": "cso"})
    kept = saved("institution")
    assert (kept["ganhri_status"], kept["ganhri_status_on"]) == ("", None)


def test_a_wrong_answer_to_a_question_not_asked_is_no_mistake(client, application):
    save(client, "institution", ganhri_status_on="long ago", ganhri_status="z")
    assert saved("institution")["kind"] == "cso"
    assert "institution" not in Application.objects.get().missing()


def test_members_of_a_coalition_are_said_back_counted_once(client, application):
    page = save(client, "institution", **COALITION)
    assert "Saved. 2 members, each counted once" in text_of(page)
    assert "2 members, each counted once" in text_of(client.get(reverse("applications:check")))
    assert saved("institution")["coalition_members"] == COALITION["coalition_members"]  # in their own words


def test_one_member_is_said_in_the_singular(client, application):
    assert "1 member, counted once" in text_of(save(client, "institution", **COALITION | {"coalition_members": "A"}))


def test_who_speaks_for_no_coalition_has_no_members(client, application):
    page = save(client, "institution", **COALITION | {"is_coalition": "False"})
    assert "counted once" not in text_of(page)
    assert (saved("institution")["is_coalition"], saved("institution")["coalition_members"]) == (False, "")


def test_a_coalition_names_its_members(client, application):
    save(client, "institution", is_coalition="True")
    assert Application.objects.get().missing() == {"institution": ["coalition_members"]}


# --- People -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["speaker", "replacement"])
def test_for_a_person_under_18_the_guardian_is_asked(client, application, section):
    save(client, section, full_name="B. Canary", under_18="on")
    assert Application.objects.get().missing() == {section: ["guardian_name", "guardian_agrees"]}
    save(client, section, full_name="B. Canary", under_18="on", **GUARDIAN)
    assert Application.objects.get().missing() == {}
    assert (saved(section)["guardian_name"], saved(section)["guardian_agrees"]) == ("C. Canary", True)


@pytest.mark.parametrize("section", ["speaker", "replacement"])
def test_of_a_grown_up_no_guardian_is_kept(client, application, section):
    save(client, section, full_name="B. Canary", **GUARDIAN)
    assert (saved(section)["guardian_name"], saved(section)["guardian_agrees"]) == ("", False)


def test_a_replacement_stands_beside_the_speaker(client, application):
    save(client, "replacement", full_name="B. Canary", email="b@example.org")
    fresh = Application.objects.get()
    assert (fresh.speaker.full_name, fresh.replacement.full_name) == ("Amina Canary", "B. Canary")


def test_nobody_need_be_named_as_a_replacement(client, application):
    save(client, "replacement")
    assert Application.objects.get().missing() == {}
    assert Speaker.objects.filter(role="replacement").count() == 0
    assert "Somebody to take that person’s place Optional" in text_of(client.get(reverse("applications:tasks")))


def test_a_replacement_who_is_struck_out_leaves_nothing_behind(client, application):
    save(client, "replacement", full_name="B. Canary")
    save(client, "replacement", full_name="")
    assert Speaker.objects.filter(role="replacement").count() == 0


# --- Recommendations and consent --------------------------------------------------------------------------------------


def test_recommendations_are_separate_texts_with_an_example_of_a_good_and_a_bad_one(client, application):
    page = client.get(reverse("applications:section", args=["recommendations"])).content.decode()
    assert page.count("<textarea") == 5
    assert "who should do what, by when" in page and "Too general" in page
    save(client, "recommendations", recommendation_1="", recommendation_4="Close the old prison by 2028.")
    assert [row.text for row in Application.objects.get().recommendations.all()] == ["Close the old prison by 2028."]


def test_every_item_is_consented_to_by_itself_and_says_who_sees_it_and_when(client, application):
    page = client.get(reverse("applications:section", args=["safety"])).content.decode()
    for item in Consent.Item.values:
        hint = re.search(rf'id="id_consent_{item}_helptext">([^<]+)<', page)[1]
        assert re.search("Seen|seen", hint)
        assert re.search("once the meeting is over|from the day|from the evening before", hint), hint


def test_standing_consents_are_shown_on_the_last_page_with_their_day(client, application, clock):
    save(client, "safety", consent_name="on", consent_recommendations="on")
    clock.shift(timedelta(days=3))
    open_session(client, application)
    save(client, "safety", consent_recommendations="on")
    page = text_of(client.get(reverse("applications:check")))
    assert "Our recommendations may be given to missions and published Yes, since Mon 2 March 2026" in page
    assert "The speaker’s name may stand in the programme No" in page


# --- The pages around -------------------------------------------------------------------------------------------------


def test_the_task_list_says_how_far_each_section_is(client, application):
    Application.objects.update(aims="")
    save(client, "recommendations", recommendation_1="")
    page = text_of(client.get(reverse("applications:tasks")))
    assert "Your institution Incomplete" in page
    assert "Recommendations you would ask States to make Not started" in page
    assert "Safety and consent Completed" in page


def test_a_change_made_from_the_last_page_comes_back_to_its_place_there(client, application):
    check = client.get(reverse("applications:check")).content.decode()
    link = reverse("applications:section", args=["speaker"]) + "?then=check"
    assert f'href="{link}#id_full_name"' in check
    answer = client.post(link, posted(answers()["speaker"]))
    assert answer.url == reverse("applications:check") + "#speaker"
    assert 'id="speaker"' in check


def test_a_mistake_on_the_way_does_not_forget_to_come_back(client, application):
    """The form posts to the address it was shown at."""
    link = reverse("applications:section", args=["speaker"]) + "?then=check"
    page = client.post(link, posted(answers()["speaker"]) | {"email": "none"}).content.decode()
    form = next(tag for tag in re.findall("<form[^>]*>", page) if "novalidate" in tag)
    assert "action" not in form


@pytest.mark.parametrize("name, queries", [("tasks", 1), ("check", 1)])
@pytest.mark.parametrize("many", [False, True])
def test_they_cost_the_same_for_one_answer_and_for_many(client, django_assert_num_queries, name, queries, many):
    everything = {f"recommendation_{number}": f"Number {number}." for number in range(1, 6)} if many else {}
    application = ApplicationFactory(consents=Consent.Item.values if many else [], **everything)
    if many:
        application.save_section("replacement", {"full_name": "B. Canary"}, now=MONDAY)
    open_session(client, application)
    with django_assert_num_queries(queries):
        client.get(reverse(f"applications:{name}"))


# --- On another device ------------------------------------------------------------------------------------------------


def links():
    return Letter.objects.filter(kind="application_link")


def test_the_link_is_mailed_to_the_applicants_own_address_and_once_in_five_minutes(client, application, clock):
    clock.shift(timedelta(minutes=10))
    before = links().count()
    pages = [client.post(reverse("applications:elsewhere"), follow=True) for _click in range(3)]
    assert len({re.sub(r'name="csrf\w+" value="[^"]+"', "", page.content.decode()) for page in pages}) == 1
    assert links().count() == before + 1
    assert links().last().to == application.email
    clock.shift(timedelta(minutes=5))
    client.post(reverse("applications:elsewhere"))
    assert links().count() == before + 2


def test_looking_mails_nothing(client, application, clock):
    clock.shift(timedelta(minutes=10))
    before = links().count()
    client.get(reverse("applications:elsewhere"))
    assert links().count() == before


def test_whoever_presses_very_often_sees_the_same_and_sends_no_more(client, application, clock, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 2)
    clock.shift(timedelta(minutes=10))
    for _press in range(3):
        page = client.post(reverse("applications:elsewhere"), follow=True)
    before = links().count()
    clock.shift(timedelta(minutes=6))
    assert text_of(client.post(reverse("applications:elsewhere"), follow=True)) == text_of(page)
    assert links().count() == before


# --- Entered for somebody else ----------------------------------------------------------------------------------------


@pytest.fixture
def received(client):
    """What came by e-mail an hour before the deadline is entered by staff a day after it."""
    staff = StaffFactory(is_superuser=True)
    state_call = StateCallFactory(closes_at=MONDAY + timedelta(hours=2))
    application = entering.begin(
        state_call, email="a@example.org", language="en", received_at=MONDAY, reason="", by=staff, now=MONDAY
    )
    return staff, application


def enter(client, staff, application):
    client.force_login(staff)
    session = client.session
    session[entering.MARK] = [application.pk, staff.pk]
    session.save()


def test_staff_see_that_they_enter_it_for_somebody_else_and_the_trail_says_who(client, received, clock):
    staff, application = received
    clock.shift(timedelta(days=1))
    enter(client, staff, application)
    for page in ("tasks", "check"):
        assert "for somebody else" in text_of(client.get(reverse(f"applications:{page}")))
    assert "for somebody else" in text_of(save(client, "issues"))
    event = Event.objects.about(application).last()
    assert (event.code, event.staff_id) == ("saved_issues", staff.pk)
    assert not Application.objects.get().in_grace


def test_the_applicant_has_no_more_time_for_that(client, received, clock):
    _staff, application = received
    clock.shift(timedelta(days=1))
    open_session(client, application)
    assert save(client, "issues").status_code == 410


def test_staff_send_no_link_while_they_enter_it(client, received):
    enter(client, *received)
    assert reverse("applications:elsewhere") not in client.get(reverse("applications:tasks")).content.decode()
    client.post(reverse("applications:elsewhere"))
    assert links().count() == 0


def test_staff_leave_the_form_and_stay_logged_in(client, received):
    enter(client, *received)
    client.post(reverse("applications:leave"))
    assert client.get(reverse("applications:tasks")).status_code == 404
    assert "_auth_user_id" in client.session
