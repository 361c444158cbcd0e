"""The register: every State and observer, found by any of its names, reached at a valid address or named as not."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.utils import translation

from missions.management.commands.load_missions import CARRIED
from missions.models import MissionAddress, PermanentMission
from tests.missions.factories import AddressFactory, MissionFactory
from tests.upr.factories import StateFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)


def load(**options):
    printed = StringIO()
    call_command("load_missions", stdout=printed, **options)
    return printed.getvalue()


def test_each_of_the_193_states_and_three_observers_has_a_row_and_none_an_address(calendar):
    load()
    assert PermanentMission.objects.filter(kind="state").count() == 193
    observers = PermanentMission.objects.filter(kind="observer")
    assert [str(mission) for mission in observers] == ["European Union", "Holy See", "State of Palestine"]
    assert not MissionAddress.objects.exists()


def test_that_a_state_has_no_mission_comes_with_its_source(calendar):
    load()
    without = PermanentMission.objects.filter(in_geneva="no")
    assert {mission.code for mission in without} == {"BJ", "SR", "VC"}
    assert all("OHCHR" in mission.source and mission.as_of == "2021" for mission in without)


def test_loading_twice_changes_nothing(calendar):
    assert "193 added" in load()
    assert "193 unchanged" in load()


def test_what_staff_have_changed_is_left_alone(calendar):
    load()
    PermanentMission.objects.filter(code="BJ").update(in_geneva="yes", source="Blue Book")
    assert "BJ: changed by staff" in load()
    assert PermanentMission.objects.get(code="BJ").source == "Blue Book"


@pytest.mark.parametrize(
    "row, reason",
    [
        ("XX,yes,direct,a page,", "line 3: iso2 XX is not known"),
        ("KE,perhaps,,,", "line 3: has_geneva_mission 'perhaps' is none of yes, no, unknown"),
        ("KE,yes,direct,a page,last year", "line 3: as_of 'last year' is not a year or a date"),
        ("AF,yes,direct,a page,", "line 3: iso2 AF stands already in line 2"),
        ("KE,yes", "line 3: 2 cells instead of 5"),
    ],
)
def test_a_wrong_row_is_refused_by_file_line_and_reason_and_nothing_is_loaded(tmp_path, row, reason):
    StateFactory(iso2="AF"), StateFactory(iso2="KE")
    (tmp_path / "missions.csv").write_text(f"iso2,has_geneva_mission,basis,source,as_of\nAF,unknown,,,\n{row}\n")
    (tmp_path / "observers.csv").write_bytes((CARRIED / "observers.csv").read_bytes())
    with pytest.raises(CommandError, match=f"missions.csv, {reason}"):
        load(data=tmp_path)
    assert not PermanentMission.objects.exists()


@pytest.mark.parametrize("text", ["kenya", "KE", "Кения", "肯尼亚", "كينيا"])
def test_a_mission_is_found_by_its_states_name_in_six_languages_and_by_its_code(text):
    MissionFactory(iso2="FR")
    MissionFactory(iso2="KE")
    assert [mission.code for mission in PermanentMission.objects.named_like(text)] == ["KE"]


@pytest.mark.parametrize("text", ["cote d'ivoire", "Côte d’Ivoire", "COTE DIVOIRE"])
def test_accents_apostrophes_and_capitals_do_not_hide_a_mission(text):
    MissionFactory(iso2="CI")
    assert PermanentMission.objects.named_like(text).exists()


def test_an_observer_is_found_by_its_own_names():
    MissionFactory(observer="VA", name_en="Holy See", name_fr="Saint-Siège")
    assert PermanentMission.objects.named_like("saint siege").get().code == "VA"


def test_missions_are_listed_by_name_without_accents():
    for iso2 in ("ZW", "CI", "ES", "EG"):
        MissionFactory(iso2=iso2)
    assert [mission.code for mission in PermanentMission.objects.all()] == ["CI", "EG", "ES", "ZW"]


def test_a_mission_is_called_by_its_name_in_the_active_language():
    mission = MissionFactory(iso2="DE")
    with translation.override("fr"):
        assert str(mission) == "Allemagne"


def test_an_address_is_found_exactly_and_nowhere_readable_in_the_database():
    mission = MissionFactory(iso2="KE", email="Amina@Mission.example.org")
    assert PermanentMission.objects.with_email(" amina@mission.EXAMPLE.org").get() == mission
    assert not PermanentMission.objects.with_email("mina@mission.example.org").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT email FROM missions_missionaddress")
        stored = bytes(cursor.fetchone()[0])
    assert b"mina" not in stored.lower()


def test_an_address_stands_once_in_a_mission():
    mission = MissionFactory(iso2="KE", email="amina@example.org")
    with pytest.raises(IntegrityError):
        AddressFactory(mission=mission, email="AMINA@example.org")


@pytest.mark.parametrize(
    "facts, reached",
    [
        ({}, True),
        ({"valid_from": TODAY, "valid_until": TODAY}, True),
        ({"valid_from": date(2026, 3, 3)}, False),
        ({"valid_until": date(2026, 3, 1)}, False),
        ({"bounced_at": "2026-02-01T00:00Z"}, False),
    ],
)
def test_a_mission_is_reached_at_an_address_that_is_valid_that_day(facts, reached):
    address = AddressFactory(**facts)
    assert PermanentMission.objects.reachable(TODAY).exists() is reached
    assert list(PermanentMission.objects.not_reachable(TODAY)) == ([] if reached else [address.mission])


def test_a_state_has_one_mission_and_an_observer_no_state():
    state = StateFactory(iso2="KE")
    with pytest.raises(IntegrityError):
        PermanentMission.objects.create(kind="observer", code="KE", state=state)
