"""Recommendations from a list: shown line by line first, and written only as they were shown."""

import io
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from applications import afterwards
from applications import recommendation_import as lists
from applications.models import MadeRecommendation, Theme
from presessions.imports import Changed, Unreadable
from presessions.trail.models import Event
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, StateCallFactory
from tests.applications.seats import words_of
from tests.applications.test_recommendations import entered
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

REPORT = """148.1 Ratify the Optional Protocol (OP-CAT) (France) (Türkiye);
148.2 Continue its efforts to keep girls
in schools (Chile; Netherlands (Kingdom of the); Holy See);
"""


@pytest.fixture
def meeting():
    for code in ("KE", "FR", "CL", "TR", "NL"):
        StateFactory(iso2=code)
    state_call = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
    return CountryMeeting.objects.with_state().get(pk=state_call.meeting_id)


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


def imported(meeting, text):
    return lists.carry_out(meeting, text, seen=lists.plan(meeting, text).seen, by=None, now=MONDAY)


def stored(meeting):
    return {
        row.number: (row.text, {state.pk for state in row.made_by.all()}, row.response)
        for row in afterwards.made_for(meeting)
    }


def test_the_paragraphs_of_a_report_are_read_as_they_stand(meeting):
    assert imported(meeting, REPORT) == {"new": 2}
    assert stored(meeting) == {
        "148.1": ("Ratify the Optional Protocol (OP-CAT)", {"FR", "TR"}, "pending"),
        "148.2": ("Continue its efforts to keep girls in schools (Holy See)", {"CL", "NL"}, "pending"),
    }


def test_who_is_no_member_state_is_named_and_not_counted(meeting):
    first, second = lists.plan(meeting, REPORT).rows
    assert (first.what, second.what) == ((), ("No Member State, and not counted among them: Holy See.",))


def test_answers_alone_can_be_added_later_and_all_else_stays(meeting):
    imported(meeting, REPORT)
    before = stored(meeting)
    answers = "number;response;date\n148.1;Supported;2026-09-25\n148.2;prise en note;25.09.2026\n"
    plan = lists.plan(meeting, answers)
    assert [row.what for row in plan.rows] == [
        ("response: not answered yet → supported", "response of: nothing → Fri 25 September 2026"),
        ("response: not answered yet → noted", "response of: nothing → Fri 25 September 2026"),
    ]
    assert imported(meeting, answers) == {"changed": 2}
    assert stored(meeting) == {number: (*facts[:2], said) for (number, facts), said in
                               zip(before.items(), ("supported", "noted"), strict=True)}  # fmt: skip
    assert {row.responded_on for row in MadeRecommendation.objects.all()} == {date(2026, 9, 25)}
    assert imported(meeting, answers) == {}  # once more is no change
    assert Event.objects.about(meeting).filter(code="recommendations_imported").count() == 2


def test_what_goes_out_as_a_file_can_be_read_in_again(desk, meeting):
    Theme.objects.get_or_create(slug="justice", defaults={"name_en": "Justice"})
    imported(meeting, REPORT)
    MadeRecommendation.objects.filter(number="148.1").update(
        theme=Theme.objects.get(slug="justice"), response="noted", responded_on=date(2026, 9, 25), text="=1+1; “a”"
    )
    page = reverse("admin:applications_recommendations_file", args=[meeting.pk])
    for format in ("csv", "xlsx"):
        from presessions import imports

        plan = lists.plan(meeting, imports.text_of(desk.post(page, {"format": format}).content))
        assert [str(row.outcome) for row in plan.rows] == ["same", "same"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (";Ratify it;FR;;", "The number is missing"),
        ("149.1;;FR;;", "The text is missing"),
        ("149.1;Ratify it;;;", "No State is named"),
        ("149.1;Ratify it (France) (Atlantis);;;", "We know no Member State “Atlantis”"),
        ("149.1;Ratify it;Atlantis;;", "We know no Member State “Atlantis”"),
        ("149.1;Ratify it;FR, KE;;", "Kenya is under review itself and recommends nothing to itself."),
        ("149.1;Ratify it (France) (Kenya);;;", "Kenya is under review itself"),
        ("149.1;Ratify it;FR;perhaps;", "“perhaps” is no answer that we know"),
        ("149.1;Ratify it;FR;noted;31.02.2026", "“31.02.2026” is no date"),
        (f"{'1' * 21};Ratify it;FR;;", "This is no number"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_to_do_and_the_others_are_written(meeting, line, words):
    text = f"number;recommendation;made by;response;date\n{line}\n149.9;Free them;FR;;\n"
    plan = lists.plan(meeting, text)
    refused, good = plan.rows
    assert (str(refused.outcome), refused.line, str(good.outcome)) == ("refused", 2, "new")
    assert words in " ".join(refused.what)
    assert imported(meeting, text) == {"new": 1}
    assert set(stored(meeting)) == {"149.9"}


def test_makers_that_are_not_known_leave_those_we_have(meeting):
    entered(meeting, "148.1")
    (row,) = lists.plan(meeting, "number;made by\n148.1;Atlantis\n").rows
    assert str(row.outcome) == "refused" and "“Atlantis”" in " ".join(row.what)


def test_a_number_twice_in_a_list_counts_once_and_a_theme_we_do_not_have_is_said(meeting):
    text = "number;recommendation;made by;theme\n1.1;Ratify;FR;Fishery\n1.1;Ratify too;CL;\n"
    first, second = lists.plan(meeting, text).rows
    assert first.what == ("We have no theme “Fishery”; it stays without one.",)
    assert (str(second.outcome), second.what) == ("twice", ("The same number stands on line 2. Keep one of the two.",))
    assert imported(meeting, text) == {"new": 1}


def test_a_list_removes_nothing_and_says_what_it_does_not_touch(meeting):
    entered(meeting, "148.77")
    assert lists.plan(meeting, REPORT).untouched == 1
    imported(meeting, REPORT)
    assert set(stored(meeting)) == {"148.1", "148.2", "148.77"}


def test_what_has_changed_since_it_was_shown_is_shown_again_and_not_written(meeting):
    imported(meeting, REPORT)
    answers = "number;response\n148.1;supported\n"
    seen = lists.plan(meeting, answers).seen
    MadeRecommendation.objects.filter(number="148.1").update(response="noted")
    with pytest.raises(Changed) as changed:
        lists.carry_out(meeting, answers, seen=seen, by=None, now=MONDAY)
    assert changed.value.plan.rows[0].what == ("response: noted → supported",)
    assert stored(meeting)["148.1"][2] == "noted"


@pytest.mark.parametrize("text", ["who;what\na;b\n", "theme;response\nx;noted\n", "", "number\n"])
def test_what_is_no_list_at_all_is_refused_as_a_whole(meeting, text):
    with pytest.raises(Unreadable):
        lists.plan(meeting, text)


def test_it_costs_the_same_queries_for_one_line_and_for_hundreds(meeting, django_assert_max_num_queries):
    many = "\n".join(f"148.{n} Ratify protocol {n} (France) (Chile);" for n in range(1, 301))
    with django_assert_max_num_queries(5):
        plan = lists.plan(meeting, many)
    with django_assert_max_num_queries(16):
        assert lists.carry_out(meeting, many, seen=plan.seen, by=None, now=MONDAY) == {"new": 300}


def test_the_page_shows_first_and_writes_what_was_shown(desk, meeting):
    page = reverse("admin:applications_recommendations_import", args=[meeting.pk])
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["Number", "Recommendation", "Made by", "Remarks"], ["148.1", "Ratify it <b>now</b>", "France", "x"]):
        book.active.append(row)
    book.save(file)
    upload = SimpleUploadedFile("list.xlsx", file.getvalue())
    shown = desk.post(page, {"step": "look", "file": upload})
    assert "Remarks" in words_of(shown) and "&lt;b&gt;" in words_of(shown)
    assert not MadeRecommendation.objects.exists()
    form = {"step": "import", "text": shown.context["form"].cleaned_data["text"], "seen": shown.context["plan"].seen}
    assert desk.post(page, {**form, "seen": "0" * 32}).status_code == 409
    assert not MadeRecommendation.objects.exists()
    assert desk.post(page, form).url == reverse("admin:applications_recommendations", args=[meeting.pk])
    assert MadeRecommendation.objects.get().text == "Ratify it <b>now</b>"
    assert desk.post(page, {"step": "look", "text": "who;what\na;b"}).status_code == 422
