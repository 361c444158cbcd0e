"""The register from a list: every difference is shown first, and written only as shown; a bad line says what to do."""

import csv
import io
from datetime import date

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from missions import register_import
from missions.models import MissionAddress, PermanentMission
from presessions import imports
from presessions.imports import Unreadable
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY
from tests.missions.factories import AddressFactory, MissionFactory
from tests.tables import workbook

pytestmark = pytest.mark.django_db
PAGE = "admin:missions_permanentmission_import"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture(autouse=True)
def kenya():
    return MissionFactory(iso2="KE", email="ke@example.org")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def told(text):
    """(code, what, before, after) of every difference."""
    return [
        (change.mission.code, one.what, one.before, one.after)
        for change in register_import.plan(text).changes
        for one in change.differences
    ]


def refused(text):
    return [(one.line, one.what) for one in register_import.plan(text).refused]


def look(desk, text="", **more):
    return desk.post(reverse(PAGE), {"step": "look", "text": text, **more})


def shown(page):
    return {"step": "import", "text": page.context["form"].cleaned_data["text"], "seen": page.context["plan"].seen}


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_each_difference_is_told_before_and_after():
    text = (
        "mission;address;role;valid until;language;form of address in French;in Geneva;source;as of\n"
        "Kenya;ke@example.org;Permanent Representative;2026-12-31;fr;Madame l’Ambassadrice,;no;Blue Book;2026\n"
        "KE;new@example.org;human rights officer;;;;;;\n"
    )
    assert told(text) == [
        ("KE", "language of letters", "English", "Français"),
        ("KE", "form of address in French", "", "Madame l’Ambassadrice,"),
        ("KE", "in Geneva", "yes", "no mission in Geneva"),
        ("KE", "source", "", "Blue Book"),
        ("KE", "as of", "", "2026"),
        ("KE", "ke@example.org: whose", "the mission’s mailbox", "Permanent Representative"),
        ("KE", "ke@example.org: valid until", "", "31 December 2026"),
        ("KE", "new address", "", "new@example.org (human rights officer)"),
    ]


@pytest.mark.parametrize("name", ["Kenya", "KE", "KEN", "Кения", "肯尼亚", "كينيا", "KENYA"])
def test_a_mission_is_known_by_its_name_in_any_language_and_by_its_codes(name):
    assert [code for code, *_words in told(f"mission,language\n{name},fr\n")] == ["KE"]


def test_an_empty_cell_changes_nothing_and_no_list_takes_anything_away():
    PermanentMission.objects.update(source="Blue Book")
    plan = register_import.plan("mission,address,language,source\nKenya,,,\n")
    assert (plan.changes, [change.code for change in plan.same]) == ([], ["KE"])


@pytest.mark.parametrize("day", ["2026-12-31", "31.12.2026", "31/12/2026"])
def test_days_are_read_as_people_write_them(day):
    text = f"mission;address;valid until\nKenya;ke@example.org;{day}\n"
    assert [after for *_words, after in told(text)] == ["31 December 2026"]


def test_staff_read_and_write_it_in_french_too():
    with translation.override("fr"):
        assert [
            change.mission.code
            for change in register_import.plan("pays;adresse;langue\nKenya;a@example.org;anglais").changes
        ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("mission,address\nAtlantis,a@example.org", 2, "We know no mission “Atlantis”. Write its State’s UN name"),
        ("mission,address\n,a@example.org", 2, "No mission is named."),
        ("code,address\nXX,a@example.org", 2, "We know no mission with the code “XX”."),
        ("mission,code\nKenya,TR", 2, "The code TR is not that of “Kenya”."),
        ("mission,address\nKenya,no address", 2, "“no address” is no address that we can write to. Write it like"),
        ("mission,address,role\nKenya,a@example.org,chef", 2, "We know no role “chef”. Write one of: the mission’s"),
        ("mission,language\nKenya,Klingon", 2, "We know no language “Klingon”. Write one of: en, fr, es, ar, ru, zh."),
        ("mission,address,valid until\nKenya,a@example.org,soon", 2, "“soon” is no date. Write it like 2026-03-31."),
        ("mission,address,valid until\nKenya,a@example.org,31/02/2026", 2, "is no date"),
        ("mission;address;valid from;valid until\nKenya;a@example.org;2026-03-02;2026-03-01", 2, "before it begins"),
        ("mission,role\nKenya,mission", 2, "said of an address, and there is none"),
        ("mission,in Geneva\nKenya,no", 2, "Who says that there is no mission in Geneva?"),
        ("mission,in Geneva\nKenya,perhaps", 2, "“perhaps” is not clear in “in Geneva”. Write one of: yes, no mission"),
        ("mission,language\nKenya,fr\nKE,es", 3, "“language of letters” of Kenya is another one on line 2."),
        ("mission,address\nKenya,a@example.org\nKE,A@example.org", 3, "The same address stands on line 2."),
        ("mission,source\nKenya," + "a" * 301, 2, "“source” is longer than 300 letters."),
        ("mission,address,order\nKenya,a@example.org,first", 2, "“first” is no place in the order."),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_taken_is_named_with_what_to_do(text, line, says):
    MissionFactory(iso2="TR")
    ((where, what),) = refused(text)
    assert where == line and says in what


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The list is empty."),
        ("mission,language\n", "The list is empty."),
        ("a,b\nKenya,fr", "No column has a name that we know."),
        ("language,source\nfr,Blue Book", "No column names the mission."),
        ('mission,language\n"Kenya,fr', "quotation mark without its pair"),
        ("mission,language\n" + "Kenya,fr\n" * (register_import.MOST + 1), "at most 3000 at a time"),
        ("mission" + ",x" * imports.MOST_COLUMNS + "\nKenya" + ",1" * imports.MOST_COLUMNS, "more than 60 columns"),
        ("mission,source\nKenya," + "a" * (imports.MOST_LETTERS + 1), "more than 5000 letters"),
    ],
)
def test_a_list_that_cannot_be_read_at_all_says_why(text, says):
    with pytest.raises(Unreadable, match=says):
        register_import.plan(text)


def test_staff_are_told_of_what_they_may_not_expect():
    MissionFactory(iso2="TR", email="shared@example.org")
    AddressFactory(mission=PermanentMission.objects.get(code="KE"), email="old@example.org", bounced_at=MONDAY)
    text = "mission,address,role\nKenya,shared@example.org,other\nKenya,old@example.org,other\n"
    (change,) = register_import.plan(text).changes
    assert change.notes == [
        "shared@example.org stands at Türkiye, too.",
        "old@example.org has bounced, and stays marked until somebody empties the mark on the mission’s page.",
    ]


# --- Looking, and writing ---------------------------------------------------------------------------------------------


def test_nothing_is_written_by_looking(desk):
    before = Event.objects.count()
    page = look(desk, "mission,address,language\nKenya,new@example.org,fr\nAtlantis,x@example.org,\n").content.decode()
    assert "Change this 1 mission" in page and "1 line cannot be taken" in page
    assert (MissionAddress.objects.count(), Event.objects.count()) == (1, before)
    assert PermanentMission.objects.get().language == "en"


def test_what_was_shown_is_written_once_and_the_trail_says_by_whom_and_no_address(desk, staff, kenya):
    page = look(desk, "mission,address,role,language\nKenya,new@example.org,ambassador,fr\n")
    assert desk.post(reverse(PAGE), shown(page)).status_code == 302
    assert desk.post(reverse(PAGE), shown(page)).status_code == 409
    kenya.refresh_from_db()
    assert kenya.language == "fr"
    assert [(one.email, one.role, one.position) for one in kenya.addresses.all()] == [
        ("ke@example.org", "mission", 1),
        ("new@example.org", "ambassador", 2),
    ]
    assert PermanentMission.objects.with_email("new@example.org").get() == kenya
    events = Event.objects.about(kenya)
    assert {(event.code, event.staff_id) for event in events} == {
        (code, staff.pk) for code in ("imported", "address_added", "language_changed")
    }
    assert not events.exclude(reason=None).exists()


def test_a_change_in_between_is_noticed_and_nothing_is_written(desk, kenya):
    page = look(desk, "mission,language\nKenya,fr\n")
    PermanentMission.objects.update(language="es")
    answer = desk.post(reverse(PAGE), shown(page))
    assert answer.status_code == 409 and "Something has changed since you looked" in answer.content.decode()
    kenya.refresh_from_db()
    assert kenya.language == "es"
    assert desk.post(reverse(PAGE), shown(answer)).status_code == 302


def test_what_was_not_shown_is_not_written(desk, kenya):
    page = look(desk, "mission,language\nKenya,fr\n")
    other = shown(page) | {"text": "mission,address\nKenya,evil@example.org\n"}
    assert desk.post(reverse(PAGE), other).status_code == 409
    assert kenya.addresses.count() == 1


def test_two_people_who_add_the_same_address_add_it_once(desk, kenya, monkeypatch):
    """The second has looked and pressed before the first has written."""
    page = look(desk, "mission,address\nKenya,new@example.org\n")
    write = register_import._write

    def late(changes, **why):
        monkeypatch.setattr(register_import, "_write", write)
        AddressFactory(mission=kenya, email="new@example.org", position=2)
        write(changes, **why)

    monkeypatch.setattr(register_import, "_write", late)
    assert desk.post(reverse(PAGE), shown(page)).status_code == 409
    assert kenya.addresses.filter(position=2).count() == 0  # with the transaction in which it collided


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_what_the_register_writes_can_be_read_back_and_a_cell_changed_in_it_is_one_difference(desk, kenya, format):
    facts = {"language": "fr", "address_form_fr": "=Madame,", "source": "-Blue Book, p. 3", "as_of": "2026"}
    PermanentMission.objects.update(**facts)
    AddressFactory(
        mission=kenya, email="zwei@example.org", position=2, valid_from=date(2026, 1, 5), valid_until=date(2026, 9, 1)
    )
    MissionFactory(iso2="SR", email=None, in_geneva="no", source="Blue Book")
    MissionFactory(observer="VA", name_en="Holy See")
    asked = {"audience": "register", "format": format, "filter": ""}
    content = desk.post(reverse("admin:missions_permanentmission_export"), asked).content
    plan = register_import.plan(imports.text_of(content))
    assert (plan.changes, plan.refused) == ([], [])
    assert [mission.code for mission in plan.same] == ["VA", "KE", "SR"]
    if format == "csv":
        changed = content.decode("utf-8-sig").replace("Français", "espagnol", 1)
        assert told(changed) == [("KE", "language of letters", "Français", "Español")]


def test_a_workbook_is_uploaded_shown_and_written(desk, kenya):
    file = SimpleUploadedFile(
        "list.xlsx", workbook([["mission", "address", "valid until"], ["Kenya", "x@example.org", date(2026, 12, 31)]])
    )
    page = look(desk, file=file)
    assert desk.post(reverse(PAGE), shown(page)).status_code == 302
    assert kenya.addresses.get(position=2).valid_until == date(2026, 12, 31)


def test_cells_with_markup_are_shown_as_they_are(desk):
    page = look(desk, "mission,source\nKenya,<script>alert(1)</script>\n<b>x</b>,\n").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_only_who_keeps_the_register_may_import(client):
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename="view_permanentmission"))
    client.force_login(user)
    assert client.get(reverse(PAGE)).status_code == 403
    assert look(client, "mission,language\nKenya,fr\n").status_code == 403


def test_fifty_missions_cost_the_queries_of_one(desk):
    def cost(codes):
        out = io.StringIO()
        lines = csv.writer(out)
        lines.writerow(["code", "address", "language"])
        lines.writerows(
            [code, f"new-{code}-{len(codes)}@example.org", "fr" if len(codes) == 1 else "es"] for code in codes
        )
        with CaptureQueriesContext(connection) as looking:
            page = look(desk, out.getvalue())
        with CaptureQueriesContext(connection) as writing:
            assert desk.post(reverse(PAGE), shown(page)).status_code == 302
        return len(looking), len(writing)

    cost(["KE"])  # the session and the permissions are read once
    MissionFactory(iso2="TR")
    few = cost(["TR"])
    codes = ["AL", "DZ", "AO", "AR", "AM", "AT", "BE", "BR"]
    for code in codes:
        MissionFactory(iso2=code)
    assert cost(codes) == few
