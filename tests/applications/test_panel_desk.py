"""The staff's pages of a panel: the builder without scripts, the agenda, the moderator's sheet, the screen."""

import io
import json
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html
from pypdf import PdfReader

from applications import panel
from applications.models import Agenda, Application, Theme
from applications.panel import Composition
from presessions.trail.models import Event
from presessions.upr.dates import GENEVA
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.test_panel import NHRI
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
TEN = datetime(2026, 4, 8, 10, 0, tzinfo=GENEVA)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def ada():
    return StaffFactory(name="Ada Keller")


@pytest.fixture
def desk(client, ada):
    client.force_login(ada)
    return client


@pytest.fixture
def state_call():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=TEN, room="XXII"))


@pytest.fixture
def meeting(state_call):
    return CountryMeeting.objects.with_state().get(pk=state_call.meeting_id)


def sent(state_call, **facts):
    return ApplicationFactory(state_call=state_call, submitted=True, **facts)


def address(meeting, name="panel"):
    return reverse(f"admin:applications_{name}", args=[meeting.pk])


def read(answer):
    return html.fromstring(answer.content.decode())


def order(meeting):
    return panel.composed(panel.of(meeting))


def page(desk, meeting):
    """The fields of the builder's form, as a browser would send them: {name: [values]}."""
    tree = read(desk.get(address(meeting)))
    form = tree.xpath("//form[@id='builder']")[0]
    fields = {}
    for field in form.xpath(".//input[@name] | .//textarea[@name]"):
        value = field.text or "" if field.tag == "textarea" else field.get("value", "")
        fields.setdefault(field.get("name"), []).append(value)
    return fields


def press(desk, meeting, act, fields=None, **changed):
    fields = fields or page(desk, meeting)
    return desk.post(address(meeting), {**fields, **changed, "act": act})


def names(tree, where):
    return tree.xpath(f"//ol[@data-list='{where}']/li/@data-reference")


# --- The builder -----------------------------------------------------------------------------------------------------


def test_every_button_saves_where_no_script_runs(desk, meeting, state_call):
    one, two, nhri = sent(state_call), sent(state_call), sent(state_call, **NHRI)
    for application in (one, two, nhri):
        press(desk, meeting, f"panel:{application.reference}")
    assert [reference for reference, _ in order(meeting).speakers] == [nhri.reference, one.reference, two.reference]
    press(desk, meeting, f"up:{two.reference}")
    press(desk, meeting, f"waiting:{nhri.reference}")
    press(desk, meeting, "even")
    assert order(meeting) == Composition(((two.reference, 7), (one.reference, 7)), (nhri.reference,))
    press(desk, meeting, f"off:{two.reference}")
    assert order(meeting).speakers == ((one.reference, 7),)


def test_everything_that_was_typed_is_saved_with_a_move(desk, meeting, state_call):
    one = sent(state_call)
    press(desk, meeting, f"panel:{one.reference}", opening_minutes="4", floor_minutes="2", moderator="  Miloš  Rao ",
          note="Be\r\nbrief.")  # fmt: skip
    press(desk, meeting, "save", **{f"minutes-{one.reference}": "5"})
    assert order(meeting) == Composition(((one.reference, 5),), (), 4, 2, "Miloš Rao", "Be\nbrief.")


def test_a_panel_nobody_has_composed_opens_on_a_proposal_that_is_not_saved(desk, meeting, state_call, ada):
    cso, nhri, other = sent(state_call), sent(state_call, **NHRI), sent(state_call)
    for application in (cso, nhri):
        application.prepare("accept", by=ada, now=MONDAY)
    tree = read(desk.get(address(meeting)))
    assert "This is a proposal" in tree.text_content()
    assert (names(tree, "panel"), names(tree, "-")) == ([nhri.reference, cso.reference], [other.reference])
    assert panel.of(meeting).pk is None
    press(desk, meeting, "save")
    assert [reference for reference, _ in order(meeting).speakers] == [nhri.reference, cso.reference]


def test_a_refused_panel_comes_back_as_it_was_arranged(desk, meeting, state_call):
    people = [sent(state_call) for _ in range(8)]
    fields = page(desk, meeting) | {"seat": [f"panel {one.reference}" for one in people], "floor_minutes": "2"}
    fields |= {f"minutes-{one.reference}": "7" for one in people}
    answer = press(desk, meeting, "save", fields)
    tree = read(answer)
    assert answer.status_code == 422
    assert "1 minute longer than the meeting" in tree.xpath("//*[@role='alert']")[0].text_content()
    assert names(tree, "panel") == [one.reference for one in people]
    assert not panel.of(meeting).version


def test_the_second_of_two_is_told_who_changed_what_and_keeps_the_own_arrangement(desk, meeting, state_call):
    one, two = sent(state_call, organisation_name="First Light"), sent(state_call)
    press(desk, meeting, f"panel:{one.reference}")
    seen = page(desk, meeting)
    ben = Client()
    ben.force_login(StaffFactory(name="Ben Rossi"))
    press(ben, meeting, f"waiting:{one.reference}")
    answer = press(desk, meeting, f"panel:{two.reference}", seen)
    tree = read(answer)
    told = " ".join(tree.xpath("//*[@role='alert']")[0].text_content().split())
    assert answer.status_code == 409
    assert "It was Ben Rossi" in told
    assert "First Light is new on the waiting list, as number 1." in told
    assert names(tree, "panel") == [one.reference, two.reference]
    assert order(meeting).waiting == (one.reference,)
    form = {"version": tree.xpath("//form[@id='builder']/input[@name='version']/@value")[0], "act": "save",
            "seat": tree.xpath("//form[@id='builder']//input[@name='seat']/@value"), "opening_minutes": "3",
            f"minutes-{one.reference}": "5", f"minutes-{two.reference}": "5"}  # fmt: skip
    assert desk.post(address(meeting), form).status_code == 302  # knowing it, the own arrangement may take its place
    assert [reference for reference, _ in order(meeting).speakers] == [one.reference, two.reference]


@pytest.mark.parametrize("seen", ["", "{", "[]", '{"speakers": 3}', '{"speakers": [["x"]], "waiting": []}', "null"])
def test_a_broken_memory_of_the_page_only_costs_the_words(desk, meeting, state_call, seen):
    one = sent(state_call)
    press(desk, meeting, f"panel:{one.reference}")
    fields = page(desk, meeting) | {"version": "7", "seen": seen}
    assert press(desk, meeting, f"off:{one.reference}", fields).status_code == 409


@pytest.mark.parametrize("fields", [
    {"seat": ["panel", "panel ", "", "nowhere X", "waiting NOBODY-12345"]},
    {"version": "-1"}, {"version": "x"}, {"opening_minutes": "99999999"}, {"act": "panel:NOBODY"}, {"act": "fly"},
])  # fmt: skip
def test_nonsense_is_refused_or_ignored_and_never_an_error(desk, meeting, state_call, fields):
    sent(state_call)
    assert press(desk, meeting, "save", page(desk, meeting) | fields).status_code in (302, 409, 422)


def test_a_free_place_proposes_the_first_who_waits(desk, meeting, state_call):
    leaves, waits = sent(state_call), sent(state_call, organisation_name="Next Door")
    press(desk, meeting, f"panel:{leaves.reference}")
    press(desk, meeting, f"waiting:{waits.reference}")
    assert "A place has become free" not in desk.get(address(meeting)).content.decode()
    leaves.withdraw(now=MONDAY)
    tree = read(desk.get(address(meeting)))
    proposal = tree.xpath("//form[contains(@action, 'promote')]")[0]
    assert "Next Door" in proposal.text_content()
    desk.post(proposal.get("action"), {"version": proposal.xpath(".//input[@name='version']/@value")[0]})
    assert order(meeting).speakers == ((waits.reference, 7),)
    assert "A place has become free" not in desk.get(address(meeting)).content.decode()


def test_the_answers_are_prepared_from_the_panel(desk, meeting, state_call):
    one = sent(state_call)
    press(desk, meeting, f"panel:{one.reference}")
    assert "Prepare the answers" in desk.get(address(meeting)).content.decode()
    answer = desk.post(address(meeting, "panel_prepare"))
    assert answer.url == reverse("admin:applications_decisions", args=[meeting.pk])
    assert Application.objects.get().prepared == "accept"
    assert "The answers follow this panel" in desk.get(address(meeting)).content.decode()


def test_the_balance_is_counted(desk, meeting, state_call):
    woman, nhri = sent(state_call, gender="woman"), sent(state_call, gender="man", **NHRI)
    left = sent(state_call, scope="international")
    left.themes.set([Theme.objects.create(slug="water", name_en="Water")])
    for one in (woman, nhri):
        press(desk, meeting, f"panel:{one.reference}")
    tree = read(desk.get(address(meeting)))
    numbers = {one.get("data-number"): one.text for one in tree.xpath("//output[@data-number]")}
    assert numbers == {"women": "1", "speakers": "2", "national": "2", "nhris": "1", "csos": "1"}
    assert tree.xpath("//li[@class='uncovered']/text()") == ["Water"]
    assert tree.xpath("//ul[@class='warnings']/li[not(@hidden)]") == []


def test_of_whoever_is_at_risk_only_reference_and_kind_are_there(desk, meeting, state_call):
    one = sent(state_call, organisation_name="Rights Now", gender="woman")
    Application.objects.update(at_risk=True)
    press(desk, meeting, f"panel:{one.reference}")
    for name in ("panel", "agenda", "sheet", "screen"):
        shown = desk.get(address(meeting, name)).content.decode()
        assert "Rights Now" not in shown
        assert "Amina Canary" not in shown
    tree = read(desk.get(address(meeting)))
    line = tree.get_element_by_id(f"row-{one.reference}")
    assert (line.get("data-gender"), line.get("data-national"), line.get("data-themes")) == ("", "", "")
    assert (line.get("data-kind"), one.reference in line.text_content()) == ("cso", True)


# --- The agenda, the sheet, the screen -------------------------------------------------------------------------------


@pytest.fixture
def seated(desk, meeting, state_call):
    """Two speakers with a confirmed seat, and their panel."""
    people = [
        ApplicationFactory(state_call=state_call, confirmed=True, organisation_name="The Commission", **NHRI),
        ApplicationFactory(state_call=state_call, confirmed=True, organisation_name="Rights Now", full_name="Amina C."),
    ]
    for one in reversed(people):
        press(desk, meeting, f"panel:{one.reference}")
    return people


def publish(desk, meeting):
    version = read(desk.get(address(meeting, "agenda"))).xpath("//input[@name='version']/@value")[0]
    return desk.post(address(meeting, "agenda_publish"), {"version": version}, follow=True)


def test_the_agenda_is_published_from_its_page_with_what_it_changes(desk, meeting, seated):
    told = publish(desk, meeting)
    assert "Version 1 is published. 2 speakers are written to." in told.content.decode()
    press(desk, meeting, f"down:{seated[0].reference}")
    text = " ".join(read(desk.get(address(meeting, "agenda"))).text_content().split())
    assert "The Commission is number 2 on the panel instead of 1." in text
    assert "2 speakers are told by mail" in text
    publish(desk, meeting)
    assert list(Agenda.objects.values_list("number", flat=True)) == [2, 1]


def test_an_agenda_that_cannot_be_published_says_why_and_has_no_button(desk, meeting, state_call):
    press(desk, meeting, f"panel:{sent(state_call).reference}")
    tree = read(desk.get(address(meeting, "agenda")))
    assert "1 person on this panel has not been told yet" in tree.text_content()
    assert tree.xpath("//form[contains(@action, 'publish')]") == []
    told = desk.post(address(meeting, "agenda_publish"), {"version": "1"}, follow=True)
    assert "1 person on this panel has not been told yet" in told.content.decode()


def test_the_agenda_as_a_file_names_nobody_who_has_not_agreed(desk, meeting, seated):
    assert desk.get(address(meeting, "agenda_file")).status_code == 404
    publish(desk, meeting)
    file = desk.get(address(meeting, "agenda_file"))
    assert (file["Content-Type"], file.content[:5]) == ("application/pdf", b"%PDF-")
    assert file["Content-Disposition"] == 'attachment; filename="agenda-54-KE.pdf"'
    text = words_of(file.content)
    assert "A national human rights institution" in text
    assert "10:03" in text
    assert "Amina" not in text
    assert "Rights Now" not in text


def test_the_moderators_sheet_names_everybody_and_says_what_is_forbidden(desk, meeting, seated):
    shown = " ".join(read(desk.get(address(meeting, "sheet"))).text_content().split())
    assert "Amina C., Director" in shown
    assert "do not publish the name" in shown
    file = desk.post(address(meeting, "sheet_file"))
    text = words_of(file.content)
    assert "Amina C., Director" in text
    assert "no photographs" in text
    codes = Event.objects.filter(reference=meeting.reference).values_list("code", flat=True)
    assert {"sheet_opened", "sheet_downloaded"} <= set(codes)


def test_the_sheet_leaves_the_house_with_a_fresh_proof_only(desk, meeting, seated):
    forget_proof(desk)
    answer = desk.post(address(meeting, "sheet_file"))
    assert answer["Content-Type"].startswith("text/html")
    assert not Event.objects.filter(code="sheet_downloaded").exists()


def test_the_screen_names_nobody_and_needs_nothing_after_it_is_loaded(desk, meeting, seated):
    tree = read(desk.get(address(meeting, "screen")))
    assert tree.xpath("//ol[@id='parts']/li/@data-minutes") == ["3", "7", "7", "43"]
    assert "Rights Now" not in tree.text_content()
    assert len(tree.xpath("//script")) == 1
    assert "fetch(" not in (ROOT / "static/desk/screen.js").read_text()
    assert [title.text_content() for title in tree.find_class("title")] == [
        "Opening by the moderator",
        "1. A national human rights institution",  # who may not be named is told apart by the place
        "2. A national CSO",
        "Questions and answers",
    ]


def words_of(pdf):
    """The text of a PDF of ours, as its reader sees it."""
    return " ".join(" ".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf)).pages).split())


# --- Who may, and what it costs --------------------------------------------------------------------------------------

NEEDED = {
    ("get", "panel"): {"view_application"},
    ("post", "panel"): {"view_application", "compose"},
    ("post", "panel_promote"): {"view_application", "compose"},
    ("post", "panel_prepare"): {"view_application", "decide"},
    ("get", "agenda"): {"view_application"},
    ("post", "agenda_publish"): {"view_application", "compose"},
    ("get", "agenda_file"): {"view_application"},
    ("get", "sheet"): {"view_application", "compose"},
    ("post", "sheet_file"): {"view_application", "compose", "export"},
    ("get", "screen"): {"view_application"},
}


@pytest.mark.parametrize(("method", "name"), NEEDED)
def test_each_page_opens_with_exactly_its_rights(client, meeting, method, name):
    needed = NEEDED[method, name]
    for missing in (None, *sorted(needed)):
        person = StaffFactory(is_superuser=False)
        rights = Permission.objects.filter(content_type__app_label="applications")
        person.user_permissions.set(rights.filter(codename__in=needed - {missing}))
        client.force_login(person)
        status = getattr(client, method)(address(meeting, name)).status_code
        assert (status == 403) == (missing is not None), missing


@pytest.mark.parametrize("name", ["panels", "panel", "agenda", "sheet", "screen"])
def test_no_page_costs_more_for_more_people(desk, meeting, state_call, ada, name):
    where = reverse("admin:applications_panels") if name == "panels" else address(meeting, name)
    costs = []
    for people in (1, 3):
        seated = [ApplicationFactory(state_call=state_call, confirmed=True) for _ in range(people)]
        everybody = [*order(meeting).references, *(one.reference for one in seated)]
        new = Composition(tuple((one, 5) for one in everybody))
        panel.save(meeting, panel.of(meeting).version, new, by=ada, now=MONDAY)
        Agenda.objects.create(
            meeting=meeting, number=people, published_at=MONDAY,
            content={"starts_at": TEN.isoformat(), "minutes": 60, "place": "", "items": [
                {"what": "speaker", "minutes": 5, "reference": one} for one in everybody]},
        )  # fmt: skip
        desk.get(where)
        with CaptureQueriesContext(connection) as queries:
            desk.get(where)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_what_was_seen_is_words_that_json_can_read(desk, meeting, state_call):
    press(desk, meeting, f"panel:{sent(state_call).reference}", note="</script>\"'&")
    assert json.loads(page(desk, meeting)["seen"][0])["note"] == "</script>\"'&"
