"""The review desk: what comes next and for whom, what is saved, skipped and abstained from, and what stays hidden."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from applications import assessments, at_risk
from applications.models import Application, Assessment
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications import hostile
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, looked_through
from tests.applications.test_admin import text
from tests.applications.test_documents import attached
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, SessionFactory

pytestmark = pytest.mark.django_db

VIEW = {"step": "save", "overall": "strong", "note": "Clear."}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def staff():
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def kenya():
    return StateCallFactory()


def sent(state_call, number=1, **facts):
    found = [ApplicationFactory(state_call=state_call, submitted=True, **facts) for _ in range(number)]
    return found[0] if number == 1 else found


def page(name, *arguments):
    return reverse(f"admin:applications_{name}", args=arguments)


def shown(response):
    """The application that a page of the desk is about."""
    return response.context["application"]


def begin(desk, query=""):
    return desk.get(page("review") + query, follow=True)


def press(desk, application, query="", **posted):
    return desk.post(page("review_one", application.pk) + query, posted, follow=True)


def everybody():
    return Application.objects.all()


# --- What comes next -------------------------------------------------------------------------------------------------


def test_next_comes_the_one_that_fewest_have_assessed(staff, kenya):
    twice, never, once = sent(kenya, 3)
    for application, number in ((twice, 2), (once, 1)):
        for _ in range(number):
            assessments.assess(application, by=StaffFactory(), now=MONDAY, overall="weak")
    order = []
    while following := assessments.following(staff, everybody(), MONDAY):
        order.append(following)
        assessments.assess(following, by=staff, now=MONDAY, overall="suitable")
    assert order == [never, once, twice]


def test_who_abstained_has_given_no_view_so_that_another_one_looks_at_it_first(staff, kenya):
    seen, abstained_from = sent(kenya, 2)
    assessments.assess(seen, by=StaffFactory(), now=MONDAY, overall="weak")
    assessments.assess(abstained_from, by=StaffFactory(), now=MONDAY, abstained=True)
    assert assessments.following(staff, everybody(), MONDAY) == abstained_from


def test_people_who_begin_at_once_begin_with_different_ones(kenya):
    sent(kenya, 6)
    first = {assessments.following(StaffFactory(), everybody(), MONDAY) for _ in range(8)}
    assert len(first) > 1


def test_neither_drafts_nor_what_is_withdrawn_or_answered_comes(staff, kenya):
    ApplicationFactory(state_call=kenya)
    for status in ("accepted", "waitlisted", "declined", "withdrawn"):
        ApplicationFactory(state_call=kenya, **{status: True})
    assert assessments.following(staff, everybody(), MONDAY) is None
    assert assessments.progress(staff, everybody(), MONDAY) == assessments.Progress(done=0, of=0)


# --- At the desk -----------------------------------------------------------------------------------------------------


def test_saving_leads_to_the_next_until_all_are_done(desk, staff, kenya):
    sent(kenya, 3)
    response, places = begin(desk), []
    while response.context.get("application"):
        progress = response.context["progress"]
        places.append(f"{progress.place} of {progress.of}")
        assert places[-1] in text(response)
        response = press(desk, shown(response), **VIEW)
    assert places == ["1 of 3", "2 of 3", "3 of 3"]
    assert "Done: you have looked at all 3 applications" in text(response)
    assert Assessment.objects.filter(by=staff, overall="strong").count() == 3


def test_a_view_without_an_overall_word_stays_on_its_page_with_what_was_typed(desk, kenya):
    application = sent(kenya)
    response = press(desk, application, step="save", note="Half a thought.")
    assert shown(response) == application
    assert "Half a thought." in text(response)
    assert "Choose your overall view, or abstain." in text(response)
    assert not Assessment.objects.exists()


def test_one_button_abstains_whatever_was_typed(desk, staff, kenya):
    application = sent(kenya)
    press(desk, application, step="abstain", note="My cousin works there.", overall="strong")
    mine = Assessment.objects.get(by=staff)
    assert (mine.abstained, mine.note, mine.overall) == (True, "", "")
    assert [event.code for event in Event.objects.about(application) if event.staff_id] == ["abstained"]


def test_what_i_skip_comes_again_only_when_i_ask_for_it(desk, kenya):
    one, other = sent(kenya, 2)
    first = shown(begin(desk))
    second = shown(press(desk, first, step="skip"))
    assert {first, second} == {one, other}
    response = press(desk, second, **VIEW)
    assert "Only the 1 application that you skipped is left." in text(response)
    assert not Assessment.objects.filter(application=first).exists()
    assert shown(desk.post(page("review"), follow=True)) == first


def test_what_one_skips_another_one_is_shown(desk, client, kenya):
    application = sent(kenya)
    press(desk, application, step="skip")
    client.force_login(StaffFactory())
    assert shown(begin(client)) == application


def test_the_desk_goes_through_one_series_or_one_meeting_and_stays_in_it(desk, kenya):
    later = SeriesFactory(session=SessionFactory(number=55))
    here, there = sent(kenya), sent(StateCallFactory(meeting=CountryMeetingFactory(series=later)))
    for application, query in (
        (here, f"?meeting={here.meeting.pk}"),
        (there, f"?series={there.state_call.series.pk}"),
    ):
        response = begin(desk, query)
        assert shown(response) == application
        assert response.redirect_chain[-1][0].endswith(query)
        assert "1 of 1" in text(response)
        after = press(desk, application, query, **VIEW)
        assert after.redirect_chain[-1][0] == page("review") + query
        assert after.context["progress"].of == 1


@pytest.mark.parametrize("query", ["?meeting=404", "?series=404", "?meeting=x", "?series=1'"])
def test_a_scope_that_is_not_there_is_not_found(desk, query):
    assert desk.get(page("review") + query).status_code == 404


def test_the_one_before_is_one_link_away(desk, kenya, clock):
    sent(kenya, 2)
    first = shown(begin(desk))
    clock.shift(timedelta(minutes=5))
    response = press(desk, first, **VIEW)
    assert response.context["last"] == first
    assert page("review_one", first.pk) in response.content.decode()


def test_others_views_are_hidden_until_mine_is_saved(desk, kenya):
    application = sent(kenya)
    assessments.assess(application, by=StaffFactory(name="Omar"), now=MONDAY, overall="weak", note="Too general.")
    before = text(begin(desk))
    assert "One assessment is saved; you see it once yours is." in before
    assert "Omar" not in before
    assert "Too general." not in before
    press(desk, application, **VIEW)
    after = text(desk.get(page("review_one", application.pk)))
    assert "Omar" in after
    assert "Too general." in after
    assert "My assessment" in after


@pytest.mark.parametrize(("status", "seen"), [("submitted", False), ("waitlisted", False), ("accepted", True)])
def test_once_it_has_its_answer_nobody_can_be_swayed_and_all_may_see(staff, kenya, status, seen):
    application = sent(kenya)
    assessments.assess(application, by=StaffFactory(), now=MONDAY, overall="weak")
    Application.objects.filter(pk=application.pk).update(status=status)
    application.refresh_from_db()
    assert bool(assessments.visible_to(staff, application)) is seen


def test_an_answer_that_was_released_meanwhile_is_told_and_the_event_stays(desk, staff, kenya):
    application = sent(kenya)
    Application.objects.filter(pk=application.pk).update(status="declined")
    response = press(desk, application, **VIEW)
    assert f"{application.reference} cannot be assessed." in text(response)
    assert "can no longer be assessed" in text(response)
    event = Event.objects.about(application).last()
    assert (event.code, event.staff_id, event.refused) == ("assessed", staff.pk, True)


def test_looking_changes_nothing(desk, kenya):
    application = sent(kenya)
    rows = [list(model.objects.order_by("pk").values()) for model in (Application, Assessment, Event)]
    for address in (page("review"), page("review_one", application.pk)):
        desk.get(address, follow=True)
    assert [list(model.objects.order_by("pk").values()) for model in (Application, Assessment, Event)] == rows


def test_a_page_costs_the_same_with_more_applications_and_assessments(desk, kenya, django_assert_max_num_queries):
    application = sent(kenya)

    def cost():
        with django_assert_max_num_queries(60) as counted:
            desk.get(page("review_one", application.pk))
        return len(counted)

    cost()
    few = cost()
    for other in sent(kenya, 3):
        assessments.assess(other, by=StaffFactory(), now=MONDAY, overall="weak")
    assert cost() == few


# --- Who may, and what is masked -------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["view_application", "assess"])
def test_the_desk_needs_each_of_its_rights(client, kenya, right):
    application = sent(kenya)
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename=right))
    client.force_login(user)
    for address in (page("review"), page("review_one", application.pk)):
        assert client.get(address).status_code == 403
        assert client.post(address, VIEW).status_code == 403
    assert not Assessment.objects.exists()


def test_what_is_masked_does_not_come_and_is_not_shown_or_assessed(desk, staff, kenya):
    masked = sent(kenya, organisation_name="Canary Rights")
    at_risk.mark(masked, by=staff, now=MONDAY)
    response = begin(desk)
    assert "1 more is masked" in text(response)
    for response in (desk.get(page("review_one", masked.pk)), desk.post(page("review_one", masked.pk), VIEW)):
        assert response.url == page("application_change", masked.pk)
    assert not Assessment.objects.exists()


@pytest.mark.parametrize("facts", [{}, {"submitted": True, "withdrawn": True}])
def test_what_is_not_ours_to_read_is_not_shown(desk, kenya, facts):
    application = ApplicationFactory(state_call=kenya, **facts)
    assert desk.get(page("review_one", application.pk)).url == page("application_change", application.pk)


# --- The document beside it ------------------------------------------------------------------------------------------


def test_a_pdf_stands_in_a_frame(desk, kenya):
    application = sent(kenya)
    file = looked_through(application)
    assert f'<iframe src="{page("document", application.pk, file.pk)}?inline#' in begin(desk).content.decode()


def test_a_word_document_stands_there_as_text_that_cannot_become_markup(desk, staff, kenya):
    application = sent(kenya)
    body = "<w:p><w:r><w:t>&lt;script&gt;alert(1)&lt;/script&gt; {{ user }}</w:t></w:r></w:p>"
    file = attached(application, hostile.docx(body=body), "docx")
    address = page("document_text", application.pk, file.pk)
    assert f'<iframe src="{address}"' in begin(desk).content.decode()
    response = desk.get(address)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ user }}" in response.content.decode()
    assert "script-src" not in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in response["Cache-Control"]
    event = Event.objects.about(application).last()
    assert (event.code, event.staff_id) == ("document_read", staff.pk)


def test_the_text_needs_the_right_to_read_documents_and_is_not_read_of_what_is_masked(desk, client, staff, kenya):
    application = sent(kenya)
    address = page("document_text", application.pk, attached(application, hostile.docx(), "docx").pk)
    reader = StaffFactory(is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename="view_application"))
    client.force_login(reader)
    assert client.get(address).status_code == 403
    client.force_login(staff)
    at_risk.mark(application, by=staff, now=MONDAY)
    assert client.get(address).status_code == 403
    assert not Event.objects.filter(code="document_read").exists()


def test_a_pdf_and_what_is_in_quarantine_have_no_text_page(desk, kenya):
    application = sent(kenya)
    waiting = application.attachments.get()
    assert desk.get(page("document_text", application.pk, waiting.pk)).status_code == 404
    pdf = looked_through(application)
    assert desk.get(page("document_text", application.pk, pdf.pk)).status_code == 404
