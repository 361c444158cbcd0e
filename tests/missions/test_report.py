"""The reports of a full series, every figure counted again by hand: 14 meetings, 193 States and three observers."""

import csv
import io
import re
from collections import Counter

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from applications.models import Speaker
from missions import overview, published, report, report_files
from presessions.trail.models import Event
from presessions.upr.models import State
from tests.accounts.factories import StaffFactory
from tests.missions.full_series import NOT_COUNTED, NOT_HELD, NOW, Raw, full_series, register, small_series

COMES = ("in_person", "online")


class Full:
    """The series, its rows as they stand in the tables, and what our code says of them."""

    def __init__(self):
        missions = register()
        self.small = small_series(missions)
        self.series = full_series(missions)
        self.raw = Raw(self.series)
        self.report = report.of(self.series, now=NOW)
        self.published = published.of(self.series)


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic(), time_machine.travel(NOW, tick=False):
        yield Full()
        transaction.set_rollback(True)


@pytest.fixture
def full(told, db):
    return told


@pytest.fixture
def raw(full):
    return full.raw


@pytest.fixture
def desk(full):
    client = Client()
    client.force_login(StaffFactory())
    return client


def missions_of(lines):
    return {line.mission.pk for line in lines}


def at(full, code):
    """A meeting's Tally, and its key."""
    tally = next(one for one in full.report.tallies if one.meeting.state.pk == code)
    return tally, tally.meeting.pk


# --- Universality ----------------------------------------------------------------------------------------------------


def test_the_series_is_a_full_one(raw):
    assert (len(raw.meetings), len(raw.missions), len(raw.held())) == (14, 196, 13)
    assert len(raw.answered) > 80
    assert raw.visited - raw.fetched  # somebody of whom only a mail filter is known
    assert len(raw.there) < len(raw.notes)  # somebody who was put right: not there after all
    assert Counter(row["state"] for row in raw.letters).keys() == {"sent", "failed", "bounced", "uncertain"}


def stages(raw, missions):
    """{stage: how many of these missions}, from the tables."""
    says = {raw.of_invitation[row["invitation"]] for row in raw.replies if row["answer"] in COMES}
    has = {
        "register": set(raw.missions),
        "invited": raw.invited | raw.by_hand,
        "delivered": raw.delivered,
        "fetched": raw.fetched,
        "answered": raw.answered,
        "announced": says,
        "came": {mission for _meeting, mission in raw.there},
    }
    return {name: len(those & missions) for name, those in has.items()}


def test_every_stage_counts_what_stands_in_the_tables(full, raw):
    assert full.report.all.counts == stages(raw, set(raw.missions))
    assert full.report.maybe_fetched == len(raw.visited - raw.fetched)


def test_the_regional_groups_add_up_to_all(full, raw):
    found = {row.label: row.counts for row in full.report.groups}
    names = {
        "African": "African States", "Asia-Pacific": "Asia-Pacific States", "EEG": "Eastern European States",
        "GRULAC": "Latin American and Caribbean States", "WEOG": "Western European and other States", None: "Observers",
    }  # fmt: skip
    by_hand = {
        name: stages(raw, {key for key, of_one in raw.group.items() if of_one == group})
        for group, name in names.items()
    }
    assert found == by_hand
    assert sum((Counter(counts) for counts in found.values()), Counter()) == Counter(full.report.all.counts)
    assert found["Observers"]["register"] == 3


def test_who_was_not_reached_is_whoever_has_neither_answered_nor_got_a_letter_nor_been_telephoned(full, raw):
    missed = set(raw.missions) - raw.answered - raw.delivered - raw.by_hand
    assert missions_of(full.report.overview.not_reached) == missed
    assert all(line.reason for line in full.report.overview.not_reached)
    assert missions_of(full.report.came_uninvited) == missed & {mission for _meeting, mission in raw.there}
    assert {line.mission.code for line in full.report.not_in_geneva} == {"BJ", "SR", "VC"}


def test_the_proof_says_in_words_how_many_were_invited(full, raw):
    invited, missed = len(raw.invited | raw.by_hand), len(full.report.overview.not_reached)
    assert full.report.sentences() == [
        "The register holds the missions of 193 States and of 3 observers.",
        f"{invited} of 196 missions have been invited to all meetings of Pre-sessions 60.",
        f"{missed} missions have not been reached: why is said below.",
    ]


def test_a_state_without_a_row_in_the_register_is_named(full):
    State.objects.create(iso2="QZ", iso3="QZZ", m49="999", name_en="Atlantis", regional_group="WEOG")
    assert report.of(full.series, now=NOW).sentences()[-1] == "No mission stands in the register for: Atlantis."


def test_each_meeting_counts_who_said_so_who_came_and_who_surprised(full, raw):
    for tally in full.report.tallies:
        key = tally.meeting.pk
        said = {raw.of_invitation[row["invitation"]]: row["answer"] for row in raw.replies if row["meeting"] == key}
        comes, came = {mission for mission, answer in said.items() if answer in COMES}, raw.came_to(key)
        assert {answer.value: n for answer, n in tally.counts.items() if n} == dict(Counter(said.values()))
        assert (tally.coming, missions_of(tally.came)) == (len(comes), came)
        assert tally.people == sum(raw.there[key, mission]["people"] for mission in came)
        assert missions_of(tally.unannounced) == came - comes
        counted = any(meeting == key for meeting, _mission in raw.notes)
        assert tally.noted == counted == (tally.meeting.state.pk not in (NOT_HELD, NOT_COUNTED))
        assert missions_of(tally.missed) == (comes - came if counted else set())


def test_the_state_under_review_has_a_line_of_its_own(full, raw):
    for tally in full.report.tallies:
        own, note = raw.own(tally.meeting.pk), None
        assert tally.own_line.mission.pk == own
        note = raw.there.get((tally.meeting.pk, own))
        assert (bool(tally.own_note and tally.own_note.people), tally.own_spoke) == (
            bool(note),
            bool(note and note["spoke"]),
        )
    assert at(full, "BJ")[0].own_line.reason == "No mission in Geneva"


# --- Published -------------------------------------------------------------------------------------------------------


def half_up(numerator, denominator):
    return int(numerator / denominator + 0.5)


def test_the_published_figures_are_those_that_somebody_would_count_by_hand(full, raw):
    found, held = full.published, raw.held()
    counted = [key for key in held if raw.came_to(key)]
    sizes = {key: len(raw.came_to(key)) for key in counted}
    people = sum(row["people"] for (meeting, _mission), row in raw.there.items() if meeting in held)
    assert (len(found.meetings), len(found.noted)) == (13, 12) == (len(held), len(counted))
    assert found.different == len(set().union(*(raw.came_to(key) for key in held)))
    assert found.mean == half_up(sum(sizes.values()), len(counted))
    assert found.most == max(sizes.values())
    assert {one.meeting.pk for one in found.best} == {key for key, size in sizes.items() if size == found.most}
    assert (found.people, found.mean_people) == (people, half_up(people, len(counted)))
    own = [raw.there.get((key, raw.own(key))) for key in held]
    assert found.present == sum(note is not None for note in own)
    assert found.spoke == sum(note is not None and note["spoke"] for note in own)
    asked = [row for row in raw.questions if row["meeting"] in held]
    assert found.questions == len(asked)
    assert found.of_missions == sum(row["mission"] is not None for row in asked)


def test_the_panels_count_who_spoke_at_what_was_held(full, raw):
    speakers, panel = [row for row in raw.speakers if row["meeting"] in raw.held()], full.published.panel
    assert panel.speakers == len(speakers) > 40
    assert panel.csos == sum(row["kind"] == "cso" for row in speakers)
    assert panel.nhris == sum(row["kind"] == "nhri" for row in speakers)
    national = sum(row["kind"] == "nhri" or row["scope"] == "national" for row in speakers)
    assert full.published.national_share == half_up(100 * national, len(speakers))
    women = sum(row["gender"] == "woman" for row in speakers)
    assert (full.published.women, full.published.women_share) == (women, half_up(100 * women, len(speakers)))
    assert panel.themes.keys() == set().union(*(row["themes"] for row in speakers))


def test_missions_and_the_people_they_send_are_never_mixed(full, raw):
    """A mission counts once, at a meeting and over the series, however many people came of it."""
    for one in full.published.meetings:
        assert len(one.missions) == len(raw.came_to(one.meeting.pk)) <= one.people or not one.noted
    assert full.published.different < sum(len(one.missions) for one in full.published.meetings) < full.published.people


def test_the_sentence_that_is_printed_is_ready_to_copy(full, raw):
    found = full.published
    sizes = {key: len(raw.came_to(key)) for key in raw.held() if raw.came_to(key)}
    best = ", ".join(one.meeting.state.name for one in found.best)
    mean = half_up(sum(sizes.values()), len(sizes))
    (_en, _english, text), (fr, _name, french) = found.ready()
    assert (
        f"{found.different} Permanent Missions attended, {mean} on average per meeting and up to {found.most} ({best})."
        in text
    )
    assert text.startswith("Pre-sessions 60: 13 meetings were held. ")
    assert "Attendance was counted at 12 of 13 meetings." in text
    assert f"present at {found.present} of 12 meetings and took the floor at {found.spoke}." in text
    assert f"{found.questions} questions were put from the floor, {found.of_missions} by Permanent Missions." in text
    speakers = [row for row in raw.speakers if row["meeting"] in raw.held()]
    csos, nhris = (sum(row["kind"] == kind for row in speakers) for kind in ("cso", "nhri"))
    assert re.search(
        rf" {len(speakers)} speakers from \d+ institutions took the floor: {csos} for civil society and {nhris} for "
        "national human rights institutions. ", text,
    )  # fmt: skip
    national = sum(row["kind"] == "nhri" or row["scope"] == "national" for row in speakers)
    women = sum(row["gender"] == "woman" for row in speakers)
    assert (
        f" {half_up(100 * national, len(speakers))}% of the speakers ({national} of {len(speakers)}) belong to national"
        f" or local institutions, and {half_up(100 * women, len(speakers))}% ({women} of {len(speakers)}) are women"
    ) in text
    assert f" They address {len(found.panel.themes)} themes. " in text
    assert fr == "fr"
    assert {str(number) for number in (found.different, found.mean, found.most)} <= set(re.findall(r"\d+", french))
    assert translation.get_language() == "en"  # as before


def test_a_meeting_at_whose_door_nobody_noted_does_not_pull_the_average_down(full):
    uncounted = next(one for one in full.published.meetings if one.meeting.state.pk == NOT_COUNTED)
    assert (uncounted.noted, len(uncounted.missions)) == (False, 0)
    counted = [len(one.missions) for one in full.published.meetings if one is not uncounted]
    assert full.published.mean == half_up(sum(counted), 12) != half_up(sum(counted), 13)


def test_one_meeting_has_no_average(full):
    told = published.of(full.small).sentences()
    assert "1 Permanent Mission attended." in told
    assert "The State under Review was present at 1 of 1 meeting and took the floor at 1." in told
    assert "1 question was put from the floor, by a Permanent Mission." in told


def test_before_a_meeting_is_held_nothing_of_its_panel_is_told(full, desk):
    full.series.meetings().update(status="confirmed")
    assert published.of(full.series).sentences() == []
    page = desk.get(pages(full.series)["series_published"]).content.decode()
    assert "No meeting of this series is marked as held yet." in page
    assert "<textarea" not in page and "National or local" not in page


def test_one_woman_among_the_speakers_is_not_told_by_any_page_text_or_file(full, raw, desk):
    speakers = [row["id"] for row in raw.speakers if row["meeting"] in raw.held()]
    Speaker.objects.filter(application__in=speakers).update(gender="man")
    Speaker.objects.filter(application=speakers[0]).update(gender="woman")
    found = published.of(full.series)
    assert (found.women, found.women_share) == (None, None)
    assert all(
        "how many are women is not shown, the numbers are too small." in text
        for code, _name, text in found.ready()
        if code == "en"
    )
    page = desk.get(pages(full.series)["series_published"]).content.decode()
    assert "<dt>Women</dt><dd>not shown</dd>" in page
    (line,) = (row for row in table(desk, reverse("admin:upr_reports")) if row["series"] == "60")
    assert line["women, %"] == "not shown"
    about = dict(one for one in report_files.figures(found).about if len(one) == 2)
    assert (about["women"], about["men"]) == ("not shown", "not shown")


# --- Pages and files -------------------------------------------------------------------------------------------------


def pages(series):
    meeting = series.meetings().first()
    return {
        "series_report": reverse("admin:upr_series_report", args=[series.pk]),
        "series_published": reverse("admin:upr_series_published", args=[series.pk]),
        "meeting_report": reverse("admin:upr_meeting_report", args=[meeting.pk]),
    }


def cost(client, path):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_a_full_series_costs_as_many_queries_as_one_with_one_meeting_and_one_mission(full, desk):
    for path in pages(full.small).values():
        desk.get(path)
    assert {name: cost(desk, path) for name, path in pages(full.small).items()} == {
        name: cost(desk, path) for name, path in pages(full.series).items()
    }


def test_the_figures_of_two_series_cost_as_much_as_those_of_one(full):
    def asked(*series):
        with CaptureQueriesContext(connection) as queries:
            published.of_many(list(series))
        return len(queries)

    assert asked(full.small) == asked(full.series, full.small) < 10
    with CaptureQueriesContext(connection) as queries:
        overview.of(full.series, now=NOW)
    assert len(queries) < 15


def test_over_all_series_each_has_its_line_the_newest_first(full, desk):
    page = desk.get(reverse("admin:upr_reports"))
    assert [one.series.number for one in page.context["all"]] == [61, 60]
    trend = page.context["attendance"]
    assert [tick.words for tick in trend.along] == ["60", "61"]
    assert [point.words for point in trend.lines[0].points] == [str(full.published.different), "1"]
    assert page.content.decode().count("<polyline") == 3  # nobody spoke in 61, so that no line of shares has two ends


def table(client, path):
    answer = client.post(path, {"format": "csv"})
    assert answer["Content-Disposition"].startswith("attachment")
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_the_files_say_what_the_pages_say(full, raw, desk):
    path = pages(full.series)
    rows = table(desk, path["series_report"])
    assert len(rows) == 196
    counts = full.report.all.counts
    for column in ("invited", "delivered", "answered", "came"):
        assert sum(row[column] == "yes" for row in rows) == counts[column]
    kenya = raw.own(at(full, "KE")[1])
    line = next(row for row in rows if row["code"] == "KE")
    assert line["Kenya: people"] == str(raw.there[at(full, "KE")[1], kenya]["people"] if kenya else 0)
    assert {row["Norway: people"] for row in rows} == {""}  # nobody noted there
    *lines, total = table(desk, path["series_published"])
    assert (len(lines), total["missions"], total["people of missions"]) == (
        13, str(full.published.different), str(full.published.people)
    )  # fmt: skip
    tally, key = at(full, "PH")
    found = table(desk, reverse("admin:upr_meeting_report", args=[key]))
    assert sum(row["came"] == "yes" for row in found) == len(tally.came)
    assert sum(int(row["people"]) for row in found) == tally.people
    assert [row["series"] for row in table(desk, reverse("admin:upr_reports"))] == ["61", "60"]


def test_a_file_stands_in_the_trail_and_its_refusal_too(full, desk):
    path = pages(full.series)["series_report"]
    desk.post(path, {"format": "xlsx"})
    taken = Event.objects.filter(code="exported").latest("pk")
    assert (taken.refused, taken.reason.text) == (False, "Universality report: Pre-sessions 60 · xlsx")
    assert desk.post(path, {"format": "pdf"}).status_code == 403
    assert Event.objects.filter(code="exported").latest("pk").refused


def test_a_reader_looks_and_takes_nothing_and_who_has_no_role_sees_nothing(full):
    person, nobody = StaffFactory(is_superuser=False), StaffFactory(is_superuser=False)
    person.groups.add(Group.objects.get(name="Reader"))
    for who, look in ((person, 200), (nobody, 403)):
        browser = Client()
        browser.force_login(who)
        for path in pages(full.series).values():
            assert browser.get(path).status_code == look
            assert browser.post(path, {"format": "xlsx"}).status_code == 403
        taken = Event.objects.about(who).filter(code="exported")
        assert [event.refused for event in taken] == [True] * (3 if look == 200 else 0)
