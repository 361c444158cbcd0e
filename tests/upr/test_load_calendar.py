"""`manage.py load_calendar`: the real calendar, as often as one likes, never over what staff have decided."""

import csv
import shutil
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from presessions.trail.models import Event
from presessions.upr.management.commands.load_calendar import CARRIED
from presessions.upr.models import CountryMeeting, Series, State, StateUnderReview, WorkingGroupSession
from presessions.upr.signals import dates_changed

pytestmark = pytest.mark.django_db

SESSIONS, PLACES = "upr_sessions.csv", "upr_states_under_review.csv"


@pytest.fixture
def folder(tmp_path):
    """A copy of the carried tables that a test may change."""
    shutil.copytree(CARRIED, tmp_path / "data")
    return tmp_path / "data"


def change(folder, name, key, **cells):
    """Change cells in the rows whose first cells are the key; without cells, drop them."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    header = list(rows[0])
    hit = [row for row in rows if [row[column] for column in header[: len(key)]] == list(key)]
    assert hit, "the test is about a row that is there"
    for row in hit:
        row.update(cells)
    kept = rows if cells else [row for row in rows if row not in hit]
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def load(folder=CARRIED):
    printed = StringIO()
    call_command("load_calendar", data=folder, stdout=printed)
    return printed.getvalue()


def refusal(folder):
    with pytest.raises(CommandError) as refused:
        load(folder)
    return str(refused.value)


def place(number, iso2):
    return StateUnderReview.objects.get(session__number=number, state=iso2)


def counts():
    return [model.objects.count() for model in (State, WorkingGroupSession, StateUnderReview)]


# --- The real data --------------------------------------------------------------------------------------------------


def test_the_fourth_cycle_is_loaded(calendar):
    assert calendar.splitlines() == [
        "states.csv: 193 added",
        "upr_sessions.csv: 14 added",
        "upr_states_under_review.csv: 193 added",
        "presession_rounds.csv: 17 checked",
    ]
    session = WorkingGroupSession.objects.get(number=50)
    assert (session.starts_on, session.ends_on) == (date(2025, 11, 3), date(2025, 11, 14))
    assert WorkingGroupSession.objects.get(number=54).starts_on is None
    assert State.objects.get(iso2="CI").name_fr == "Côte d'Ivoire"
    assert StateUnderReview.objects.get(state="UA").session is None
    assert place(53, "US").status == "rescheduled"


def test_a_second_time_nothing_changes(calendar):
    before = [list(model.objects.order_by("pk").values()) for model in (State, WorkingGroupSession, StateUnderReview)]
    assert load().splitlines() == [
        "states.csv: 193 unchanged",
        "upr_sessions.csv: 14 unchanged",
        "upr_states_under_review.csv: 193 unchanged",
        "presession_rounds.csv: 17 checked",
    ]
    after = [list(model.objects.order_by("pk").values()) for model in (State, WorkingGroupSession, StateUnderReview)]
    assert before == after
    assert not Event.objects.exists()


# --- Wrong rows -----------------------------------------------------------------------------------------------------


def test_of_a_file_with_a_wrong_row_nothing_is_loaded_and_each_is_named(folder):
    change(folder, "states.csv", ["AF"], m49="4")
    change(folder, "states.csv", ["ZW"], regional_group="Arctic")
    said = refusal(folder)
    assert "states.csv, line 2: m49 '4' is not a code of three digits" in said
    assert "states.csv, line 194: regional_group 'Arctic' is none of African" in said
    assert "Nothing of this file was loaded." in said
    assert counts() == [0, 0, 0]


def test_files_before_the_wrong_one_stay_loaded_and_later_ones_wait(folder):
    change(folder, SESSIONS, ["54"], start_date="soon")
    assert "upr_sessions.csv, line 15: start_date 'soon' is not a date" in refusal(folder)
    assert counts() == [193, 0, 0]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"iso2": "XX"}, "iso2 XX is not known"),
        ({"session_number": "99"}, "session_number 99 is not known"),
        ({"status": "perhaps"}, "status 'perhaps' is none of"),
        ({"iso2": "TN"}, "session_number 41 iso2 TN stands already in line 2"),
    ],
)
def test_a_wrong_place_is_refused(folder, cells, reason):
    change(folder, PLACES, ["41", "BH"], **cells)
    assert reason in refusal(folder)
    assert counts() == [193, 14, 0]


def test_a_wrong_row_undoes_nothing_that_was_loaded_before(calendar, folder):
    change(folder, SESSIONS, ["41"], start_date="2022-11-08")
    change(folder, SESSIONS, ["54"], cycle="x")
    refusal(folder)
    assert WorkingGroupSession.objects.get(number=41).starts_on == date(2022, 11, 7)


def test_past_rounds_are_checked(folder):
    change(folder, "presession_rounds.csv", ["46"], presession_end="2024-02-12")
    assert "presession_rounds.csv, line 18: presession_end 2024-02-12 comes before" in refusal(folder)


def test_a_missing_file_is_named(folder):
    (folder / SESSIONS).unlink()
    assert "upr_sessions.csv: cannot be read: No such file" in refusal(folder)


# --- Newer data -----------------------------------------------------------------------------------------------------


def test_a_newer_row_changes_what_nobody_has_touched(calendar, folder):
    change(folder, "states.csv", ["TR"], name_es="Turquía")
    change(folder, SESSIONS, ["54"], start_date="2027-01-18", end_date="2027-01-29")
    change(folder, PLACES, ["54", "TG"], basis="sourced", review_order="1")
    assert [line for line in load(folder).splitlines() if "updated" in line] == [
        "states.csv: 192 unchanged, 1 updated",
        "upr_sessions.csv: 13 unchanged, 1 updated",
        "upr_states_under_review.csv: 192 unchanged, 1 updated",
    ]
    assert WorkingGroupSession.objects.get(number=54).starts_on == date(2027, 1, 18)
    assert (place(54, "TG").basis, place(54, "TG").review_order) == ("sourced", 1)
    assert "updated" not in load(folder)


def test_names_are_folded_anew(calendar, folder):
    change(folder, "states.csv", ["TR"], name_en="Élan")
    load(folder)
    assert State.objects.get(iso2="TR").sort_key == "elan"


def test_new_dates_of_a_session_are_announced_to_its_series(calendar, folder, now):
    Series.open_for(WorkingGroupSession.objects.get(number=54), now=now)
    heard = []

    def hear(series, now, **kwargs):
        heard.append(series.session.starts_on)

    change(folder, SESSIONS, ["54"], start_date="2027-01-18")
    dates_changed.connect(hear)
    try:
        load(folder)
        load(folder)
    finally:
        dates_changed.disconnect(hear)
    assert heard == [date(2027, 1, 18)]


def test_it_says_which_mailings_changed_with_the_dates(calendar, folder, now):
    Series.open_for(WorkingGroupSession.objects.get(number=54), now=now, first_day=date(2098, 12, 15))
    change(folder, SESSIONS, ["54"], start_date="2099-01-18", end_date="2099-01-29")
    briefing = "briefing, Pre-sessions 54: waits for a date -> goes out Thu 18 December 2098, 09:00 Geneva time"
    assert f"  changed with the dates: {briefing}\n" in load(folder)


def test_a_file_whose_dates_cannot_be_announced_is_not_loaded_at_all(calendar, folder, now):
    def fail(**kwargs):
        raise RuntimeError

    Series.open_for(WorkingGroupSession.objects.get(number=54), now=now)
    change(folder, SESSIONS, ["41"], note="before the row that fails")
    change(folder, SESSIONS, ["54"], start_date="2027-01-18")
    dates_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            load(folder)
    finally:
        dates_changed.disconnect(fail)
    assert WorkingGroupSession.objects.get(number=41).note == ""


def test_a_state_new_in_a_session_gets_its_meeting(calendar, folder, now):
    StateUnderReview.objects.filter(state="HT").delete()
    series = Series.open_for(WorkingGroupSession.objects.get(number=54), now=now)
    assert series.meetings().count() == 12
    load(folder)
    assert series.meetings().filter(state_under_review__state="HT").exists()


def test_a_state_that_stands_elsewhere_in_a_newer_table_has_moved(calendar, folder, now):
    series = Series.open_for(WorkingGroupSession.objects.get(number=54), now=now)
    change(folder, PLACES, ["54", "MM"], session_number="", status="postponed")
    assert "upr_states_under_review.csv: 192 unchanged, 1 moved" in load(folder)
    assert place(54, "MM").status == "moved"
    assert StateUnderReview.objects.get(state="MM", session=None).moved_from == place(54, "MM")
    assert series.meetings().get(state_under_review__state="MM").status == "not_held"
    assert "193 unchanged" in load(folder)


def test_a_postponed_state_finds_its_session(calendar, folder):
    change(folder, PLACES, ["", "UA"], session_number="54", status="rescheduled")
    assert "1 moved" in load(folder)
    assert (place(54, "UA").status, place(54, "UA").moved_from.session) == ("rescheduled", None)


def test_a_state_of_the_next_cycle_has_not_moved(calendar, folder):
    with (folder / PLACES).open("a", encoding="utf-8") as file:
        file.write("54,BH,,scheduled,sourced,,\n")
    assert "193 unchanged, 1 added" in load(folder)
    assert place(41, "BH").status == "reviewed"


# --- What staff have decided ----------------------------------------------------------------------------------------


def test_rows_that_staff_have_changed_are_left_alone_and_named(calendar, folder, now):
    WorkingGroupSession.objects.get(number=54).reschedule(now=now, starts_on=date(2027, 1, 25))
    State.objects.filter(iso2="TR").update(name_fr="Turquie")
    StateUnderReview.objects.filter(state="TG").update(note="Confirmed by telephone.")
    change(folder, SESSIONS, ["54"], start_date="2027-01-18")
    change(folder, "states.csv", ["TR"], name_fr="Turkiye")
    change(folder, PLACES, ["54", "TG"], note="something else")
    said = load(folder)
    assert "states.csv: 192 unchanged, 1 left alone\n  left alone: TR: changed by staff\n" in said
    assert "  left alone: session 54: changed by staff\n" in said
    assert "  left alone: 54/TG: changed by staff\n" in said
    assert WorkingGroupSession.objects.get(number=54).starts_on == date(2027, 1, 25)
    assert State.objects.get(iso2="TR").name_fr == "Turquie"
    assert place(54, "TG").note == "Confirmed by telephone."


def test_staff_and_table_that_agree_again_are_no_conflict(calendar, folder, now):
    WorkingGroupSession.objects.get(number=54).reschedule(now=now, starts_on=date(2027, 1, 18))
    change(folder, SESSIONS, ["54"], start_date="2027-01-18")
    assert "upr_sessions.csv: 14 unchanged\n" in load(folder)
    change(folder, SESSIONS, ["54"], start_date="2027-01-19")
    assert "upr_sessions.csv: 13 unchanged, 1 updated\n" in load(folder)


def test_a_session_that_staff_entered_first_is_theirs(folder):
    WorkingGroupSession.objects.create(number=54, starts_on=date(2027, 1, 25))
    assert "left alone: session 54: changed by staff" in load(folder)
    assert WorkingGroupSession.objects.get(number=54).starts_on == date(2027, 1, 25)


def test_a_state_moved_by_staff_stays_where_they_put_it(calendar, folder, now):
    place(54, "MM").move_to(None, now=now)
    assert "left alone: 54/MM: changed by staff" in load(folder)
    assert place(54, "MM").status == "moved"


def test_a_move_in_the_table_does_not_overrule_staff(calendar, folder, now):
    StateUnderReview.objects.filter(state="MM").update(note="We know better.")
    change(folder, PLACES, ["54", "MM"], session_number="53")
    assert "left alone: 53/MM: staff have decided about 54/MM" in load(folder)
    assert not StateUnderReview.objects.filter(state="MM", session__number=53).exists()


# --- The demonstration ----------------------------------------------------------------------------------------------


def test_a_demonstration_is_left_alone_with_dates_and_states(calendar, folder, now):
    session = WorkingGroupSession.objects.get(number=54)
    session.reschedule(now=now, demonstration=True, starts_on=date(2026, 6, 1))
    Series.open_for(session, now=now)
    change(folder, SESSIONS, ["54"], start_date="2027-01-18")
    change(folder, PLACES, ["54", "TG"], status="postponed")
    change(folder, PLACES, ["54", "MM"], session_number="53")
    said = load(folder)
    assert "left alone: session 54: demonstration" in said
    assert "left alone: 54/TG: demonstration" in said
    assert "left alone: 53/MM: demonstration" in said
    assert WorkingGroupSession.objects.get(number=54).starts_on == date(2026, 6, 1)
    assert (place(54, "TG").status, place(54, "MM").status) == ("scheduled", "rescheduled")
    assert CountryMeeting.objects.count() == 13
