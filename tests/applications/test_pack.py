"""The briefing pack: of what speakers agree to share all, at the hour they were promised, and nothing else."""

import gzip
import io
import zipfile
from datetime import datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from lxml import html

from applications import agenda, at_risk, erasure, pack, panel, seat
from applications.models import Application, Attachment, Recommendation, Theme
from applications.pack import Audience
from applications.panel import Composition
from presessions.upr.dates import GENEVA
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.seats import looked_through, receive, words_of
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 4, 8, 10, 0, tzinfo=GENEVA)
TUESDAY = MONDAY + timedelta(days=1)
EVENING_BEFORE = datetime(2026, 4, 7, 18, 0, tzinfo=GENEVA)
OVER = TEN + timedelta(hours=1)
SECOND = timedelta(seconds=1)
EVERYTHING = {"name", "organisation", "statement", "fact_sheet", "recommendations"}


@pytest.fixture
def state_call():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=TEN, room="XXII"))


@pytest.fixture
def meeting(state_call):
    return CountryMeeting.objects.with_state().get(pk=state_call.meeting_id)


@pytest.fixture
def ada():
    return StaffFactory(name="Ada Keller")


def seated(state_call, *agreed, papers=("statement", "fact_sheet"), **facts):
    """Somebody with a seat whose papers are looked through, and who agrees to some items."""
    application = ApplicationFactory(state_call=state_call, confirmed=True, **facts)
    for kind in papers:
        looked_through_with_size(receive(application, TUESDAY, kind=kind, content=f"PK the {kind}".encode()))
    agree(application, *agreed)
    return application


def looked_through_with_size(file):
    looked_through(file)
    Attachment.objects.filter(pk=file.pk).update(cleaned_size=file.size)


def agree(application, *items):
    seat.publish_again(Application.objects.get(pk=application.pk), set(items), now=TUESDAY)


def publish(meeting, ada, *speakers):
    """Compose and publish; returns the speakers."""
    new = Composition(tuple((one.reference, 6) for one in speakers))
    panel.save(meeting, panel.of(meeting).version, new, by=ada, now=TUESDAY)
    agenda.publish(meeting, by=ada, now=TUESDAY, seen_version=panel.of(meeting).version)


def of(meeting, audience=Audience.EVERYBODY, now=OVER):
    (found,) = pack.of([CountryMeeting.objects.with_state().get(pk=meeting.pk)], audience, now)
    return found


def papers(found):
    return [(one.title, one.file.kind) for one in found.papers]


def recommended(found):
    return [(themes, [(one.title, one.texts) for one in proposals]) for themes, proposals in found.by_theme]


def address(name="pack", *more):
    return reverse(f"applications:{name}", args=[54, "KE", *more])


@pytest.fixture
def at(client):
    """What stands at an address at a moment."""

    def get(where, moment=OVER):
        with time_machine.travel(moment, tick=False):
            return client.get(where)

    return get


# --- From when --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("audience", "opens"), [(Audience.MISSIONS, EVENING_BEFORE), (Audience.EVERYBODY, OVER)])
def test_papers_and_recommendations_are_shown_from_the_second_that_speakers_were_promised(
    meeting, state_call, audience, opens
):
    seated(state_call, *EVERYTHING)
    before, then = of(meeting, audience, opens - SECOND), of(meeting, audience, opens)
    assert (before.opens_at, before.is_open, before.papers, before.by_theme) == (opens, False, [], [])
    assert (then.is_open, len(then.papers), len(then.by_theme)) == (True, 2, 1)


def test_of_a_meeting_without_an_hour_nothing_is_shown_until_staff_say_that_it_was_held(meeting, state_call, ada):
    seated(state_call, *EVERYTHING)
    meeting.reschedule(now=TUESDAY, by=ada, starts_at=None)
    assert not of(meeting, Audience.MISSIONS).is_open
    meeting.mark_held(now=TUESDAY, by=ada)
    assert of(meeting, Audience.MISSIONS).is_open


def test_a_meeting_marked_as_held_too_early_opens_nothing(meeting, state_call, ada):
    seated(state_call, *EVERYTHING)
    meeting.mark_held(now=TUESDAY, by=ada)
    assert not of(meeting, now=OVER - SECOND).is_open


def test_a_meeting_put_off_closes_its_pack_again_and_one_called_off_empties_it(meeting, state_call, ada):
    one = seated(state_call, *EVERYTHING)
    publish(meeting, ada, one)
    meeting.reschedule(now=TUESDAY, by=ada, starts_at=TEN + timedelta(days=7))
    assert not of(meeting).is_open
    meeting.call_off("postponed", now=TUESDAY, by=ada)
    later = of(meeting, now=TEN + timedelta(days=30))
    assert (later.lines, later.papers, later.by_theme) == ([], [], [])


# --- With leave, and not without --------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", sorted(EVERYTHING))
def test_each_item_is_shown_with_leave_for_that_item_alone(meeting, state_call, ada, item):
    one = seated(state_call, item, organisation_name="Rights Now", full_name="Amina Canary")
    publish(meeting, ada, one)
    found = of(meeting)
    (line,) = [line for line in found.lines if line.line.reference]
    assert ("Rights Now" in line.title, line.person) == (item == "organisation", "Amina Canary" * (item == "name"))
    assert [paper.file.kind for paper in found.papers] == [item] * (item in ("statement", "fact_sheet"))
    assert bool(found.by_theme) == (item == "recommendations")


def test_leave_taken_back_takes_a_thing_away_at_once(meeting, state_call, at):
    one = seated(state_call, *EVERYTHING)
    (statement, _fact_sheet) = of(meeting).papers
    assert at(address("pack_file", statement.key)).status_code == 200
    agree(one, "fact_sheet")
    found = of(meeting)
    assert (papers(found), found.by_theme) == ([("A national CSO", "fact_sheet")], [])
    assert at(address("pack_file", statement.key)).status_code == 404


def test_of_somebody_at_risk_there_is_nothing_whatever_was_agreed_to(meeting, state_call, ada):
    one = seated(state_call, *EVERYTHING, organisation_name="Rights Now")
    publish(meeting, ada, one)
    at_risk.mark(one, by=ada, now=TUESDAY)
    found = of(meeting, Audience.MISSIONS)
    assert ([line.title for line in found.lines if line.line.reference], found.is_empty) == (["A national CSO"], True)


@pytest.mark.parametrize("what", ["give_up", "withdraw", "erase"])
def test_who_leaves_takes_everything_along(meeting, state_call, ada, what):
    one = seated(state_call, *EVERYTHING)
    publish(meeting, ada, one)
    steps = {"give_up": seat.give_up, "withdraw": Application.withdraw, "erase": erasure.erase}
    steps[what](Application.objects.get(pk=one.pk), now=TUESDAY)
    found = of(meeting)
    assert ([line.title for line in found.lines if line.line.reference], found.is_empty) == (
        ["A speaker to be announced"],
        True,
    )


def test_another_version_is_shown_once_it_is_agreed_to_and_has_another_address(meeting, state_call, at):
    one = seated(state_call, "statement", papers=["statement"])
    (first,) = of(meeting).papers
    second = receive(one, TUESDAY, content=b"PK another statement")
    assert of(meeting).papers == []
    agree(one, "statement")
    assert of(meeting).papers == []  # nobody has looked into it yet
    looked_through_with_size(second)
    (paper,) = of(meeting).papers
    assert paper.file == second
    answer = at(address("pack_file", paper.key))
    assert b"".join(answer.streaming_content) == b"PK another statement"
    assert at(address("pack_file", first.key)).status_code == 404


def test_who_stands_on_no_agenda_is_not_named_though_the_paper_is_shown(meeting, state_call, ada):
    listed = seated(state_call, *EVERYTHING, organisation_name="Rights Now")
    publish(meeting, ada, listed)
    seated(state_call, *EVERYTHING, organisation_name="Late Comers")
    assert papers(of(meeting)) == [
        ("Rights Now", "statement"), ("Rights Now", "fact_sheet"),
        ("A national CSO", "statement"), ("A national CSO", "fact_sheet"),
    ]  # fmt: skip


# --- By theme ---------------------------------------------------------------------------------------------------------


def test_recommendations_stand_under_the_themes_of_their_speakers_in_the_order_of_the_list(meeting, state_call):
    one = seated(state_call, "recommendations", papers=())
    two = seated(state_call, "recommendations", papers=(), recommendation_1="Repeal the law of 1998.")
    three = seated(state_call, "recommendations", papers=(), recommendation_1="Open the courts.")
    water = Theme.objects.create(slug="water", name_en="Water", position=1)
    for application, themes in ((one, []), (two, [water]), (three, [water])):
        Application.objects.get(pk=application.pk).themes.set(themes)
    cso = "A national CSO"
    assert recommended(of(meeting)) == [
        (["Other themes"], [(cso, ["Ratify the Optional Protocol by 2027."])]),
        (["Water"], [(cso, ["Repeal the law of 1998."]), (cso, ["Open the courts."])]),
    ]


def test_a_page_says_them_in_the_speakers_own_words_whatever_the_script(meeting, state_call, at):
    one = seated(state_call, "recommendations", papers=())
    Recommendation.objects.filter(application=one).update(text="التصديق على <b>البروتوكول</b>")
    tree = html.document_fromstring(at(address()).content)
    (items,) = tree.xpath("//main//ol")
    assert (items.get("dir"), items.text_content().strip()) == ("auto", "التصديق على <b>البروتوكول</b>")


# --- As pages and files -----------------------------------------------------------------------------------------------


def test_one_page_has_it_all_is_light_and_is_kept_by_nobody(meeting, state_call, ada, at):
    speakers = [seated(state_call, *EVERYTHING, organisation_name=f"Rights Now {n}") for n in range(6)]
    for one in speakers:
        text = "The government should, before the next review, " + "protect those who report on it, " * 12
        for position in range(2, 6):
            Recommendation.objects.create(application=one, position=position, text=f"{position} {text}")
    publish(meeting, ada, *speakers)
    answer = at(address())
    assert len(gzip.compress(answer.content)) <= 15 * 1024
    assert "no-store" in answer["Cache-Control"]
    assert "noindex" in answer["X-Robots-Tag"]
    tree = html.document_fromstring(answer.content)
    assert len(tree.xpath("//main//ul[@class='links']/li")) == 12
    assert len(tree.xpath("//main//ol/li")) == 30
    for link in tree.xpath("//main//ul[@class='links']//a/@href"):
        assert at(link).status_code == 200


def test_before_its_time_the_page_says_when(meeting, state_call, at):
    seated(state_call, *EVERYTHING)
    words = words_of(at(address(), OVER - SECOND))
    assert "From Wed 8 April 2026, 11:00 Geneva time you find here the statements" in words
    assert "The agenda is not published yet." in words


def test_a_file_says_nothing_of_its_application_and_is_the_cleaned_copy(meeting, state_call, at):
    one = seated(state_call, "statement")
    (paper,) = of(meeting).papers
    answer = at(address("pack_file", paper.key))
    assert b"".join(answer.streaming_content) == b"PK the statement"
    assert answer["Content-Disposition"] == 'attachment; filename="pre-session-54-KE-1-statement.docx"'
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex, noarchive"
    assert one.reference not in f"{answer.headers} {paper.key}"


def test_what_is_not_there_never_was_or_will_be_gets_one_answer(meeting, state_call, at):
    seated(state_call, "statement")
    (paper,) = of(meeting).papers
    hidden = seated(state_call, papers=["statement"]).newest("statement")
    wrong = [at(address("pack_file", key)) for key in (pack._key(hidden), "0" * 20)]
    wrong.append(at(address("pack_file", paper.key), OVER - SECOND))
    assert [answer.status_code for answer in wrong] == [404] * 3
    assert len({answer.content.split(b"<main")[1] for answer in wrong}) == 1


def test_the_whole_pack_comes_as_a_zip_that_needs_nothing_else(meeting, state_call, ada, at):
    publish(meeting, ada, seated(state_call, *EVERYTHING, organisation_name="Rights Now"))
    answer = at(address("pack_download"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.namelist() == ["pack.html", "1-statement.docx", "1-fact-sheet.docx"]
    assert archive.read("1-statement.docx") == b"PK the statement"
    tree = html.document_fromstring(archive.read("pack.html"))
    assert set(tree.xpath("//a/@href")) == {"1-statement.docx", "1-fact-sheet.docx"}
    assert not tree.xpath("//script | //link | //img")
    assert "Ratify the Optional Protocol by 2027." in tree.text_content()
    assert answer["Content-Disposition"] == 'attachment; filename="pre-session-54-KE.zip"'
    assert "no-store" in answer["Cache-Control"]


def test_a_zip_of_nothing_shared_holds_the_agenda_alone(meeting, state_call, ada, at):
    publish(meeting, ada, seated(state_call))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(at(address("pack_download")).streaming_content)))
    assert archive.namelist() == ["pack.html"]


def test_a_list_has_every_state_of_the_series_with_what_there_is_of_it(meeting, state_call, ada, at):
    publish(meeting, ada, seated(state_call, *EVERYTHING))
    off = CountryMeetingFactory(state=StateFactory(iso2="TR"))
    off.call_off("too_few", now=TUESDAY, by=ada)
    tree = html.document_fromstring(at(reverse("applications:packs", args=[54])).content)
    rows = [" ".join(row.text_content().split()) for row in tree.xpath("//tbody/tr")]
    assert rows == ["Kenya Wed 8 April 2026, 10:00 Geneva time Agenda 2 papers 1 recommendation", "Türkiye Not held –"]
    assert tree.xpath("//tbody//a/@href") == [address()]


def test_the_page_of_the_meeting_leads_to_it_once_there_is_something_to_read(meeting, state_call, ada, at):
    where, link = address("meeting"), f'href="{address()}"'
    assert link not in at(where, TUESDAY).content.decode()
    assert link in at(where, OVER).content.decode()
    publish(meeting, ada, seated(state_call))
    assert link in at(where, TUESDAY).content.decode()


def test_for_many_speakers_and_many_states_it_costs_the_same(meeting, state_call, ada, at, django_assert_num_queries):
    everywhere = [address(), address("pack_download"), reverse("applications:packs", args=[54])]

    def look():
        for where in everywhere:
            answer = at(where)
            assert answer.status_code == 200
            if answer.streaming:
                b"".join(answer.streaming_content)

    one = seated(state_call, *EVERYTHING)
    publish(meeting, ada, one)
    with django_assert_num_queries(8 + 8 + 9) as first:
        look()
    more = [seated(state_call, *EVERYTHING) for _ in range(3)]
    publish(meeting, ada, one, *more)
    other = CountryMeetingFactory(state=StateFactory(iso2="TR"))
    seated(StateCallFactory(meeting=other), *EVERYTHING)
    with django_assert_num_queries(len(first)):
        look()
