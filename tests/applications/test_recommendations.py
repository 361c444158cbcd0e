"""From the panel to the Working Group: what was proposed, what States made of it, how the State answered; and who may
read which of that, from when."""

import csv
import io
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import afterwards, at_risk, erasure, fates, seat
from applications.likeness import Likeness
from applications.models import Application, MadeRecommendation, Recommendation, ReviewOutcome, TakenUp, Theme
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA
from presessions.upr.models import CountryMeeting, State
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.seats import open_session, words_of
from tests.mail.letters import body_of
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 4, 14, 10, 0, tzinfo=GENEVA)
AFTER = datetime(2026, 5, 18, 9, 0, tzinfo=GENEVA)
PROTOCOL = "Ratify the Optional Protocol to the Convention against Torture"
SCHOOLS = "Continue its efforts to keep girls in schools"


@pytest.fixture
def ada():
    return StaffFactory(name="Ada Keller")


@pytest.fixture(autouse=True)
def clock():
    for code in ("KE", "FR", "CL", "TR", "NL"):
        StateFactory(iso2=code)
    with time_machine.travel(AFTER, tick=False) as clock:
        yield clock


@pytest.fixture
def state_call():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=TEN))


@pytest.fixture
def meeting(state_call):
    return CountryMeeting.objects.with_state().get(pk=state_call.meeting_id)


@pytest.fixture
def desk(client, ada):
    client.force_login(ada)
    return client


def facts(number="148.1", text=PROTOCOL, states=("FR",), response="pending", **more):
    made_by = list(State.objects.filter(pk__in=states))
    return {"number": number, "text": text, "made_by": made_by, "theme": None, "response": response,
            "responded_on": None, **more}  # fmt: skip


def entered(meeting, number="148.1", *args, **changed):
    return afterwards.enter(meeting, facts(number, *args, **changed), by=None, now=AFTER)


def spoke(state_call, *agreed, text="Ratify the Optional Protocol by 2027.", **more):
    """Somebody with a confirmed seat, who agrees to some items, and their recommendation."""
    application = ApplicationFactory(state_call=state_call, confirmed=True, recommendation_1=text, **more)
    seat.publish_again(Application.objects.get(pk=application.pk), set(agreed), now=MONDAY + timedelta(days=1))
    return Application.objects.with_state().get(pk=application.pk), application.recommendations.get()


def page(name, meeting, *more):
    return reverse(f"admin:applications_recommendation{name}", args=[meeting.pk, *more])


def public(meeting):
    return Client().get(reverse("applications:recommendations", args=[meeting.series.number, meeting.state.pk]))


def published(meeting):
    ReviewOutcome.objects.update_or_create(meeting=meeting, defaults={"published_at": AFTER, "source": "A/HRC/63/5"})


# --- Staff enter what was made ---------------------------------------------------------------------------------------


def test_one_is_entered_changed_and_taken_out_again_on_its_page(desk, meeting):
    typed = {"number": "148.1.", "text": PROTOCOL, "made_by": "France; CL", "response": "supported",
             "responded_on": "2026-09-25"}  # fmt: skip
    assert desk.post(page("_add", meeting), typed).url == page("s", meeting)
    row = MadeRecommendation.objects.get()
    assert (row.number, row.response, row.responded_on) == ("148.1", "supported", date(2026, 9, 25))
    assert {state.pk for state in row.made_by.all()} == {"FR", "CL"}
    shown = desk.get(page("", meeting, row.pk))
    assert desk.post(page("", meeting, row.pk), {**typed, "made_by": "CL", "seen": shown.context["seen"]}).url
    assert [state.pk for state in row.made_by.all()] == ["CL"]
    assert desk.post(page("", meeting, row.pk), {"remove": "yes"}).url == page("s", meeting)
    assert not MadeRecommendation.objects.exists()
    codes = ["recommendation_entered", "recommendation_changed", "recommendation_removed"]
    assert [event.code for event in Event.objects.about(meeting).order_by("pk")][-3:] == codes


def test_a_number_stands_once_for_each_state(meeting, ada):
    entered(meeting)
    with pytest.raises(WrongStep, match="is in the list already"):
        entered(meeting, text="Something else")
    assert Event.objects.about(meeting).filter(code="recommendation_entered", refused=True).count() == 1
    other = CountryMeetingFactory(state=StateFactory(iso2="TR"))
    entered(CountryMeeting.objects.with_state().get(pk=other.pk))
    assert MadeRecommendation.objects.count() == 2


def test_what_a_colleague_has_changed_meanwhile_is_not_written_over(desk, meeting):
    row = entered(meeting)
    seen = desk.get(page("", meeting, row.pk)).context["seen"]
    MadeRecommendation.objects.update(response="noted")
    typed = {"number": "148.1", "text": "Mine", "made_by": "FR", "response": "pending", "seen": seen}
    answer = desk.post(page("", meeting, row.pk), typed)
    assert (answer.status_code, "A colleague has changed" in words_of(answer)) == (409, True)
    assert MadeRecommendation.objects.get().text == PROTOCOL


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"made_by": "Atlantis"}, "We know no State “Atlantis”"),
        ({"made_by": "FR; KE"}, "is under review itself and recommends nothing to itself"),
        ({"responded_on": "2026-09-25"}, "Choose the answer that was given on that day"),
        ({"number": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words_and_stays_typed(desk, meeting, changed, words):
    typed = {"number": "148.1", "text": PROTOCOL, "made_by": "FR", "response": "pending", **changed}
    answer = desk.post(page("_add", meeting), typed)
    assert answer.status_code == 422
    assert words in words_of(answer) and PROTOCOL in words_of(answer)
    assert not MadeRecommendation.objects.exists()


def test_nobody_recommends_to_itself_whatever_way_it_is_entered(meeting, ada):
    row, own = entered(meeting), facts("148.2", states=("FR", "KE"))
    with pytest.raises(WrongStep, match="under review itself"):
        afterwards.enter(meeting, own, by=ada, now=AFTER)
    with pytest.raises(WrongStep, match="under review itself"):
        afterwards.change(meeting, row.pk, own, seen=afterwards.mark(row), by=ada, now=AFTER)
    assert [one.number for one in afterwards.made_for(meeting)] == ["148.1"]
    assert Event.objects.about(meeting).filter(refused=True).count() == 2


def test_numbers_stand_in_their_order(meeting):
    for number in ("148.10", "148.9", "148.100"):
        entered(meeting, number)
    assert [row.number for row in afterwards.made_for(meeting)] == ["148.9", "148.10", "148.100"]


# --- Joined with what was proposed -----------------------------------------------------------------------------------


def test_the_likeliest_are_suggested_by_words_and_theme_and_one_click_joins_them(desk, state_call, meeting):
    _application, proposed = spoke(state_call)
    ours = entered(meeting)
    entered(meeting, "148.2", SCHOOLS)
    (speaker,) = desk.get(page("s", meeting)).context["speakers"]
    assert speaker["proposals"] == [(proposed, [ours])]
    joined = {"proposed": proposed.pk, "number": "148.1", "extent": "whole"}
    assert desk.post(page("s_join", meeting), joined).url == f"{page('s', meeting)}#p-{proposed.pk}"
    (link,) = proposed.taken_up.all()
    assert (link.made, link.extent) == (ours, "whole")
    desk.post(page("s_join", meeting), {**joined, "extent": "part"})  # again, to another extent
    assert [one.extent for one in proposed.taken_up.all()] == ["part"]
    (speaker,) = desk.get(page("s", meeting)).context["speakers"]
    assert speaker["proposals"] == [(proposed, [])]  # what is joined is suggested no more
    desk.post(page("s_join", meeting), {"apart": link.pk})
    assert not TakenUp.objects.exists()


def test_a_theme_tips_the_scale_and_words_that_all_share_count_little():
    justice = Theme(pk=1)
    made = [MadeRecommendation(pk=n, text=f"Take measures for {what}") for n, what in
            enumerate(["prisons", "schools", "rivers", "forests"], start=1)]  # fmt: skip
    likeness = Likeness(made)
    assert [row.pk for row in likeness.suggest("Take measures for rivers and lakes")] == [3]
    assert likeness.suggest("Take measures") == []
    made[0].theme = justice
    assert [row.pk for row in Likeness(made).suggest("Take other measures", {1})] == [1]
    assert likeness.suggest("Take measures for rivers", but={3}) == []


def test_only_what_was_proposed_and_made_at_this_meeting_can_be_joined(desk, state_call, meeting):
    _application, proposed = spoke(state_call)
    other = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="TR"), starts_at=TEN))
    _theirs, foreign = spoke(other)
    there = CountryMeeting.objects.with_state().get(pk=other.meeting_id)
    made_there = entered(there, "150.1")
    desk.post(page("s_join", meeting), {"proposed": proposed.pk, "number": "150.1"})
    assert desk.post(page("s_join", there), {"proposed": proposed.pk, "number": "150.1"}).status_code == 404
    assert desk.post(page("s_join", meeting), {"proposed": "x", "number": "150.1"}).status_code == 404
    assert not TakenUp.objects.exists()
    afterwards.take_up(there, foreign, made_there, "whole", by=None, now=AFTER)
    desk.post(page("s_join", meeting), {"apart": TakenUp.objects.get().pk})  # nor taken apart from elsewhere
    assert TakenUp.objects.exists()
    assert Event.objects.about(meeting).filter(code="not_taken_up", refused=True).count() == 1


def test_of_people_at_risk_no_proposal_is_shown_or_joined_before_it_is_revealed(desk, ada, state_call, meeting):
    application, proposed = spoke(state_call, "recommendations", organisation_name="Quiet Voices")
    at_risk.mark(application, by=ada, now=AFTER)
    made = entered(meeting)
    shown = words_of(desk.get(page("s", meeting)))
    assert proposed.text not in shown and "Quiet Voices" not in shown
    assert desk.post(page("s_join", meeting), {"proposed": proposed.pk, "number": "148.1"}).status_code == 403
    afterwards.take_up(meeting, proposed, made, "whole", by=ada, now=AFTER)
    published(meeting)
    assert proposed.text not in words_of(public(meeting))
    desk.post(reverse("admin:applications_reveal", args=[application.pk]), {"reason": "To join it"})
    assert proposed.text in words_of(desk.get(page("s", meeting)))


# --- Published -------------------------------------------------------------------------------------------------------


def test_nobody_outside_sees_anything_before_it_is_published_nor_after_that_is_taken_back(desk, meeting):
    entered(meeting)
    meeting_page = reverse("applications:meeting", args=[54, "KE"])
    assert public(meeting).status_code == 404
    assert "Recommendations made" not in words_of(Client().get(meeting_page))
    desk.post(page("s_publish", meeting), {"source": "A/HRC/63/5"})
    shown = words_of(public(meeting))
    assert PROTOCOL in shown and "A/HRC/63/5" in shown and "France" in shown
    assert "States made 1 recommendation" in words_of(Client().get(meeting_page))
    assert reverse("applications:recommendations", args=[54, "KE"]) in words_of(
        Client().get(reverse("applications:state", args=["KE"]))
    )
    desk.post(page("s_publish", meeting), {"hide": "yes"})
    assert public(meeting).status_code == 404


def test_publishing_twice_or_nothing_is_refused_in_words_and_noted(meeting, ada):
    with pytest.raises(WrongStep, match="Enter the recommendations first"):
        afterwards.publish(meeting, source="", by=ada, now=AFTER)
    entered(meeting)
    afterwards.publish(meeting, source="", by=ada, now=AFTER)
    with pytest.raises(WrongStep, match="published already"):
        afterwards.publish(meeting, source="", by=ada, now=AFTER)
    afterwards.hide(meeting, by=ada, now=AFTER)
    with pytest.raises(WrongStep, match="not published"):
        afterwards.hide(meeting, by=ada, now=AFTER)
    noted = Event.objects.about(meeting).filter(code__startswith="outcome").order_by("pk")
    assert [(event.code, event.refused) for event in noted] == [
        ("outcome_published", True), ("outcome_published", False), ("outcome_published", True),
        ("outcome_hidden", False), ("outcome_hidden", True),
    ]  # fmt: skip


def test_a_proposal_is_public_only_with_leave_that_stands_and_a_name_only_with_leave_for_that_too(state_call, meeting):
    named, first = spoke(
        state_call, "recommendations", "organisation", organisation_name="Rights Now", text="Free them."
    )
    _unnamed, second = spoke(state_call, "recommendations", organisation_name="Quiet Voices", text="Pay them.")
    _silent, third = spoke(state_call, "organisation", organisation_name="Loud Voices", text="Hear them.")
    made = entered(meeting)
    for proposed in (first, second, third):
        afterwards.take_up(meeting, proposed, made, "part", by=None, now=AFTER)
    published(meeting)
    shown = words_of(public(meeting))
    assert first.text in shown and "Rights Now" in shown
    assert second.text in shown and "Quiet Voices" not in shown and "A national CSO" in shown
    assert third.text not in shown and "Loud Voices" not in shown
    seat.publish_again(Application.objects.get(pk=named.pk), {"organisation"}, now=AFTER)  # taken back
    after = public(meeting)
    assert first.text not in words_of(after) and "no-store" in after["Cache-Control"]


def test_proposals_are_public_when_the_meeting_is_over_and_not_a_minute_before(clock, state_call, meeting):
    _application, proposed = spoke(state_call, "recommendations")
    entered(meeting)
    published(meeting)
    clock.move_to(TEN + timedelta(minutes=59))
    assert proposed.text not in words_of(public(meeting))
    clock.move_to(TEN + timedelta(minutes=60))
    assert proposed.text in words_of(public(meeting))


def test_the_public_page_costs_the_same_for_one_and_for_many(state_call, meeting):
    def grow(numbers):
        for n in numbers:
            _application, proposed = spoke(state_call, "recommendations", "organisation")
            afterwards.take_up(meeting, proposed, entered(meeting, f"148.{n}"), "part", by=None, now=AFTER)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert public(meeting).status_code == 200
        return len(queries)

    grow([1])
    published(meeting)
    few = cost()
    grow([2, 3, 4])
    assert cost() == few <= 12


# --- Back to who spoke -----------------------------------------------------------------------------------------------


def test_who_spoke_sees_what_became_of_it_once_it_is_published(state_call, meeting):
    application, proposed = spoke(state_call)
    made = entered(meeting, response="supported", responded_on=date(2026, 9, 25))
    afterwards.take_up(meeting, proposed, made, "part", by=None, now=AFTER)
    applicant = open_session(Client(), application)
    assert "148.1" not in words_of(applicant.get(reverse("applications:status")))
    published(meeting)
    shown = words_of(applicant.get(reverse("applications:status")))
    for words in (proposed.text, "148.1", PROTOCOL, "supported", "France", "25 September 2026"):
        assert words in shown
    afterwards.hide(meeting, by=None, now=AFTER)
    assert "148.1" not in words_of(applicant.get(reverse("applications:status")))


def test_staff_tell_those_who_spoke_once_and_once_more_when_all_is_answered(desk, state_call, meeting):
    application, _proposed = spoke(state_call)
    ApplicationFactory(state_call=state_call, accepted=True)  # who never confirmed did not speak
    row = entered(meeting)
    desk.post(page("s_tell", meeting))
    assert not Letter.objects.filter(kind="recommendations_made").exists()  # not published yet
    published(meeting)
    for _click in range(3):
        desk.post(page("s_tell", meeting))
    (letter,) = Letter.objects.filter(kind="recommendations_made")
    assert letter.recipient_id == application.reference
    MadeRecommendation.objects.filter(pk=row.pk).update(response="noted")
    desk.post(page("s_tell", meeting))
    assert Letter.objects.filter(kind="recommendations_made").count() == 2


def test_the_letter_names_no_state_no_theme_and_nobody(state_call, meeting, ada):
    application, proposed = spoke(state_call, organisation_name="Rights Now")
    entered(meeting)
    published(meeting)
    afterwards.tell(meeting, by=ada, now=AFTER)
    letter = Letter.objects.get(kind="recommendations_made")
    assert letter.subject == "News for those who spoke"
    text = body_of(letter)
    assert application.reference in text and "/application/" in text
    for word in ("Kenya", "KE/", "Justice", "Rights Now", "Amina", proposed.text):
        assert word not in text


def test_the_letter_asks_for_a_fresh_proof(desk, state_call, meeting):
    spoke(state_call)
    entered(meeting)
    published(meeting)
    forget_proof(desk)
    assert "code" in words_of(desk.post(page("s_tell", meeting)))
    assert not Letter.objects.filter(kind="recommendations_made").exists()


def test_erased_it_is_in_no_list_any_more(state_call, meeting):
    application, proposed = spoke(state_call, "recommendations")
    afterwards.take_up(meeting, proposed, entered(meeting), "whole", by=None, now=AFTER)
    published(meeting)
    text = proposed.text
    erasure.erase(application, now=AFTER)
    assert not Recommendation.objects.exists() and not TakenUp.objects.exists()
    assert text not in words_of(public(meeting))


# --- Figures, and a file ---------------------------------------------------------------------------------------------


def test_the_figures_are_those_that_somebody_would_count_by_hand(state_call, meeting):
    texts = {f"recommendation_{n}": f"Proposal {n}." for n in (2, 3)}
    (_one, first), other = spoke(state_call), ApplicationFactory(state_call=state_call, confirmed=True, **texts)
    second, third, _fourth = other.recommendations.all()
    yes, no, open_one = (entered(meeting, f"148.{n}", response=response) for n, response in
                         enumerate(("supported", "noted", "pending"), start=1))  # fmt: skip
    for proposed, made, extent in ((first, yes, "whole"), (first, no, "part"), (second, no, "part"),
                                   (third, yes, "part"), (third, open_one, "part")):  # fmt: skip
        afterwards.take_up(meeting, proposed, made, extent, by=None, now=AFTER)
    StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="TR")))  # nothing is known of that one
    found = fates.of(meeting.series)
    assert [one.state.pk for one, _fate in found.meetings] == ["KE"]
    assert vars(found.total) == {"proposed": 4, "taken_up": 3, "as_proposed": 1, "answered_yes": 2,
                                 "made": 3, "supported": 1, "noted": 1}  # fmt: skip
    assert found.sentences() == [
        "Recommendations made in the Working Group: 3; answered: 2, and of these supported: 1 (50%), noted: 1; not "
        "answered yet: 1.",
        "Recommendations proposed on the panel of the 1 State whose review is entered: 4; taken up: 3 (75%), as "
        "proposed: 1, taken up and supported: 2.",
    ]


def test_while_no_state_has_answered_no_share_is_claimed(meeting):
    entered(meeting)
    assert fates.of(meeting.series).sentences() == [
        "Recommendations made in the Working Group: 1; none is answered yet."
    ]


def test_what_is_not_answered_yet_does_not_read_as_a_refusal(meeting):
    entered(meeting)
    published(meeting)
    page_of_meeting = reverse("applications:meeting", args=[meeting.series.number, meeting.state.pk])
    assert "supported: 0, noted: 0, not answered yet: 1." in words_of(Client().get(page_of_meeting))
    MadeRecommendation.objects.update(response="noted")
    assert "supported: 0, noted: 1." in words_of(Client().get(page_of_meeting))


def test_nothing_entered_nothing_claimed(meeting):
    found = fates.of(meeting.series)
    assert (found.meetings, found.sentences()) == ([], [])


def test_what_is_taken_out_as_a_file_is_noted_and_holds_no_applicant(desk, state_call, meeting):
    spoke(state_call, organisation_name="Rights Now")
    entered(meeting, text="=1+1", response="noted")
    answer = desk.post(page("s_file", meeting), {"format": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [
        ["number", "recommendation", "made by", "theme", "response", "response of"],
        ["148.1", "'=1+1", "France", "", "noted", ""],
    ]
    assert Event.objects.filter(code="exported").count() == 1
