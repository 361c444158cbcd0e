"""Contacts from a list: shown line by line first, written only as shown, and nobody brought back who left."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from applications import contact_import, throttle
from applications.contact_import import Outcome
from applications.models import Contact
from presessions import imports
from presessions.imports import Unreadable
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ContactFactory
from tests.applications.test_admin import may
from tests.upr.factories import StateFactory

pytestmark = pytest.mark.django_db

PAGE = "admin:applications_contact_import"
SOURCE = "Workshop in Dakar, those who agreed"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def states():
    return [StateFactory(iso2=code) for code in ("KE", "TR", "SN")]


@pytest.fixture
def staff():
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def outcomes(text, language="en"):
    return [(row.line, row.email, row.outcome) for row in contact_import.plan(text, language=language).rows]


def read(text, language="en"):
    return [(row.email, row.language, row.states) for row in contact_import.plan(text, language=language).rows]


def refusal(text):
    (row,) = contact_import.plan(text, language="en").rows
    assert row.outcome == Outcome.REFUSED
    return row.what


def look(desk, text, **more):
    return desk.post(reverse(PAGE), {"text": text, "language": "en", "source": SOURCE, "step": "look", **more})


def shown(page):
    """What the page that shows the plan would post."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.content.decode())
    return dict(hidden) | {"text": page.context["form"].cleaned_data["text"], "step": "import"}


def wishes():
    contacts = Contact.objects.confirmed().order_by("pk")
    return [(one.email, one.language, sorted(state.pk for state in one.states.all())) for one in contacts]


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "email,language,states\na@example.org,fr,KE|TR\n",
        "email;language;states\r\na@example.org;fr;KE,TR\r\n",
        "\ufeffemail\tlanguage\tstates\na@example.org\tfr\tKE / TR",
        "a@example.org,fr,KE;TR",
        "a@example.org;fr;KE,TR",
        "States,Name,E-mail,Language\nKenya|Türkiye,Amina,a@example.org,French\n",
        'Adresse e-mail;Langue;États\n"a@example.org";français;"ken;TUR"\n',
        "courriel;pays;langue\nAmina <a@example.org>;turkiye | kenya;fr-CH\n",
        "email;language;states\n\n;;\na@example.org;FR;KE TR\n",
    ],
)
def test_lists_are_read_as_people_have_them(text):
    assert read(text) == [("a@example.org", "fr", ("KE", "TR"))]


@pytest.mark.parametrize(
    "text",
    [
        "Email,Name,Address\na@example.org,Amina,12 Long Street\n",
        "Address,Name,E-mail\n12 Long Street,Amina,a@example.org\n",
        "Courriel;E-mail;Adresse\na@example.org;b@example.org;Rue Longue 12\n",
        "E-mail address,email\nb@example.org,a@example.org\n",
    ],
)
def test_a_postal_address_is_not_taken_for_the_one_we_write_to(text):
    assert [row[0] for row in read(text)] == ["a@example.org"]


def test_a_column_that_another_of_its_name_outranks_is_told_as_not_read():
    plan = contact_import.plan("Email,Name,Address\na@example.org,Amina,12 Long Street\n", language="en")
    assert plan.unread == ["Name", "Address"]


def test_who_names_no_language_gets_the_one_of_the_page_and_no_state_means_all():
    assert read("email\na@example.org\nb@example.org", language="ar") == [
        ("a@example.org", "ar", ()),
        ("b@example.org", "ar", ()),
    ]


@pytest.mark.parametrize("word", ["zh", "中文", "Chinese", "chinois", "zh-hans", "chinois simplifié"])
def test_a_language_may_be_written_as_people_write_it(word):
    assert read(f"a@example.org,{word},")[0][1] == "zh"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("amina,en,KE", "no address that we can write to. Write it like name@example.org."),
        ("amina@,en,KE", "no address that we can write to"),
        ("a@[127.0.0.1],en,", "no address that we can write to"),
        ("a@example.org,tlh,", "no language “tlh”. Write one of: en, fr, es, ar, ru, zh."),
        ("a@example.org,en,Kenia", "no State “Kenia”. Write its UN name, or its code, like KE"),
        ("a@example.org,en,KE|XX", "no State “XX”"),
    ],
)
def test_a_line_that_cannot_be_read_says_what_to_do(line, says):
    assert says in refusal(f"email,language,states\n{line}")


def test_lines_are_counted_as_an_editor_counts_them():
    text = 'email,language,states\na@example.org,en,\n\nbad,en,\n"b@example.org",en,"KE\nTR"\nA@EXAMPLE.ORG,en,\n'
    assert outcomes(text) == [
        (2, "a@example.org", "new"),
        (4, "bad", "refused"),
        (6, "b@example.org", "new"),
        (7, "A@EXAMPLE.ORG", "twice"),
    ]
    assert contact_import.plan(text, language="en").rows[-1].what.startswith("The same address stands on line 2.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n \n", "empty"),
        ("email,language\n", "empty"),
        ("name,language\nAmina,en", "No column has addresses. Name the columns in the first line"),
        ('email\n"a@example.org', "Line 2 cannot be read: look for a quotation mark"),
        ("email\n" + "a@example.org\n" * (contact_import.MOST + 1), "5001 lines; at most 5000"),
    ],
)
def test_a_list_that_cannot_be_read_at_all_says_why(text, says):
    with pytest.raises(Unreadable, match=re.escape(says)):
        contact_import.plan(text, language="en")


@pytest.mark.parametrize("content", ["é".encode("latin-1"), "email\na@example.org".encode("utf-16"), b"a\0b"])
def test_a_file_that_is_no_utf_8_says_what_to_do_in_excel(content):
    with pytest.raises(Unreadable, match="save it as XLSX or “CSV UTF-8”"):
        imports.text_of(content)


def test_columns_we_do_not_keep_are_named():
    found = contact_import.plan("Name,E-mail,Phone\nAmina,a@example.org,1\n", language="en")
    assert found.unread == ["Name", "Phone"]


def test_staff_read_it_in_french_too():
    with translation.override("fr"):
        assert read("adresse;langue;pays\na@example.org;anglais;Kenya")[0] == ("a@example.org", "en", ("KE",))


# --- Comparing --------------------------------------------------------------------------------------------------------


def test_each_line_is_compared_with_whom_we_know(states):
    kenya = states[0]
    ContactFactory(email="same@example.org", states=[kenya])
    ContactFactory(email="other@example.org", language="fr")
    ContactFactory(email="left@example.org").leave(now=MONDAY)
    ContactFactory(email="bounced@example.org").bounce(now=MONDAY)
    ContactFactory(email="waits@example.org", confirmed=False)
    text = "\n".join(f"{name}@example.org,en,KE" for name in ("new", "same", "other", "left", "bounced", "waits"))
    assert [outcome for _line, _email, outcome in outcomes(text)] == ["new", "same", "there", "left", "bounced", "new"]


def test_who_left_and_came_back_by_themselves_is_on_the_list():
    ContactFactory(email="back@example.org").leave(now=MONDAY)
    ContactFactory(email="back@example.org", now=MONDAY + timedelta(hours=1))
    assert outcomes("back@example.org") == [(1, "back@example.org", "same")]


def test_an_old_list_cannot_bring_back_who_left_however_it_is_written(desk):
    ContactFactory(email="left@example.org").leave(now=MONDAY)
    page = look(desk, "LEFT@Example.org\nLeft <left@example.org>\n")
    desk.post(reverse(PAGE), shown(page))
    assert not Contact.objects.confirmed().exists()


# --- Looking, and importing -------------------------------------------------------------------------------------------


def test_nothing_is_written_by_looking(desk):
    before = Event.objects.count()
    page = look(desk, "a@example.org,fr,KE\nbad\n")
    assert "Import this 1 contact" in page.content.decode()
    assert (Contact.objects.count(), Event.objects.count(), Letter.objects.count()) == (0, before, 0)


def test_what_was_shown_is_imported_once(desk, staff):
    page = look(desk, "a@example.org,fr,KE|TR\nb@example.org,,\nbad\n")
    for _click in range(2):
        answer = desk.post(reverse(PAGE), shown(page))
    assert answer.status_code == 409 and "Something has changed since you looked" in answer.content.decode()
    assert wishes() == [("a@example.org", "fr", ["KE", "TR"]), ("b@example.org", "en", [])]
    contact = Contact.objects.confirmed().first()
    assert (contact.source, contact.entered_by, contact.confirmed_at) == (SOURCE, staff, MONDAY)
    assert Event.objects.about(contact).get().code == "imported"
    assert Event.objects.about(contact).get().staff_id == staff.pk
    assert not Letter.objects.exists()  # staff answer for it: nobody is asked to confirm


def test_a_file_is_read_like_what_is_pasted(desk):
    file = SimpleUploadedFile("list.csv", "\ufeffemail;langue\r\na@example.org;español\r\n".encode())
    page = look(desk, "", file=file)
    assert desk.post(reverse(PAGE), shown(page)).status_code == 302
    assert wishes() == [("a@example.org", "es", [])]


def test_a_change_in_between_is_noticed_and_nothing_is_imported(desk):
    page = look(desk, "a@example.org\nb@example.org\n")
    ContactFactory(email="b@example.org").leave(now=MONDAY)
    answer = desk.post(reverse(PAGE), shown(page))
    assert answer.status_code == 409
    assert [row.outcome for row in answer.context["plan"].rows] == ["new", "left"]
    assert not Contact.objects.confirmed().exists()
    assert desk.post(reverse(PAGE), shown(answer)).status_code == 302
    assert wishes() == [("a@example.org", "en", [])]


def test_another_list_begins_with_what_was_typed(desk):
    page = look(desk, "a@example.org,fr,KE\nbad\n")
    answer = desk.post(reverse(PAGE), shown(page) | {"step": "again"})
    assert answer.status_code == 200
    assert answer.context["plan"] is None
    assert "a@example.org,fr,KE\nbad" in answer.content.decode().replace("\r", "")
    assert SOURCE in answer.content.decode()
    assert not Contact.objects.exists()


def test_staff_are_told_how_many_were_imported(desk):
    answer = desk.post(reverse(PAGE), shown(look(desk, "a@example.org\nb@example.org\n")), follow=True)
    assert "2 contacts are on the list now." in answer.content.decode()


def test_what_was_not_shown_is_not_imported(desk):
    page = look(desk, "a@example.org")
    answer = desk.post(reverse(PAGE), shown(page) | {"text": "a@example.org\nb@example.org"})
    assert answer.status_code == 409
    assert not Contact.objects.exists()


@pytest.mark.parametrize("missing", ["source", "text"])
def test_where_the_addresses_come_from_must_be_said_and_nothing_typed_is_lost(desk, missing):
    page = (
        look(desk, **{"text": "a@example.org", missing: ""})
        if missing == "text"
        else look(desk, "a@example.org", source="")
    )
    assert page.context["plan"] is None
    assert ("a@example.org" if missing == "source" else SOURCE) in page.content.decode()


def test_a_file_that_is_too_large_is_refused(desk):
    page = look(desk, "", file=SimpleUploadedFile("list.csv", b"a" * (1024 * 1024 + 1)))
    assert "larger than 1 MB" in page.content.decode()


def test_cells_with_markup_are_shown_as_they_are(desk):
    page = look(desk, "<script>alert(1)</script>,en,\n").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_only_who_may_add_contacts_may_import(client):
    client.force_login(may("view_contact"))
    assert client.get(reverse(PAGE)).status_code == 403
    assert look(client, "a@example.org").status_code == 403
    client.force_login(may("view_contact", "add_contact"))
    assert client.get(reverse(PAGE)).status_code == 200


def test_two_people_who_import_the_same_list_import_it_once(desk, monkeypatch):
    """The second has looked and pressed before the first has written."""
    page = look(desk, "a@example.org")
    compared = contact_import._compared
    monkeypatch.setattr(contact_import, "_compared", lambda rows: rows)  # as it looked to both of them
    assert desk.post(reverse(PAGE), shown(page)).status_code == 302
    write = contact_import._write

    def late(rows, **why):
        monkeypatch.setattr(contact_import, "_compared", compared)
        write(rows, **why)

    monkeypatch.setattr(contact_import, "_write", late)
    assert desk.post(reverse(PAGE), shown(page)).status_code == 409
    assert len(wishes()) == 1


def queries(desk, number, name):
    text = "email,language,states\n" + "".join(f"{name}{n}@example.org,fr,KE|TR\n" for n in range(number))
    with CaptureQueriesContext(connection) as looking:
        page = look(desk, text)
    with CaptureQueriesContext(connection) as importing:
        assert desk.post(reverse(PAGE), shown(page)).status_code == 302
    return len(looking), len(importing)


def test_hundreds_of_lines_cost_the_queries_of_one(desk):
    look(desk, "first@example.org")  # the session and the permissions are read once
    assert queries(desk, 1, "a") == queries(desk, 500, "b")
    assert Contact.objects.confirmed().count() == 501


def test_a_long_list_does_not_keep_people_from_signing_up(desk, monkeypatch):
    monkeypatch.setattr(throttle, "CEILING", 3)
    desk.post(reverse(PAGE), shown(look(desk, "".join(f"a{n}@example.org\n" for n in range(5)))))
    assert throttle._below_ceiling("sign_up", MONDAY + timedelta(minutes=1))
