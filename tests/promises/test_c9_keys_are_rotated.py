"""C9, second half: everything goes on under a new key, while people write, and the old one can leave.

The first half is test_c9_keys_are_sound.py: what we do not start with.
"""

import io
import re
import secrets
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from applications import erasure, letters
from applications.models import Application, Contact, Organisation
from presessions import trail, vault
from presessions.accounts import second_factor
from presessions.mail.models import Attempt, Letter
from presessions.rotation import looking, moving
from presessions.trail import sealing
from presessions.trail.models import Reason
from tests.accounts.factories import StaffFactory, phone_of
from tests.applications.factories import MONDAY, ApplicationFactory, ContactFactory, StateCallFactory
from tests.applications.test_contacts import path_in, the_call
from tests.applications.test_journey import hidden
from tests.promises import old_rows

OLD, NEW = "the-old-key", "the-new-key"


@pytest.fixture
def keys(settings, tmp_path):
    """The steps of docs/keys.md, one by one, in a house that begins under the old key, without a file."""
    settings.PRIVATE_FILES = tmp_path / "private"

    class Steps:
        def __init__(self):
            settings.VAULT_KEYSET = vault.new_keyset(OLD)

        def set(self, keyset):
            settings.VAULT_KEYSET = keyset.text()

        def add(self):
            self.set(vault.keyset().add(NEW))

        def promote(self):
            self.set(vault.keyset().promote(NEW))

        def retire(self):
            self.set(vault.keyset().retire(OLD))

    return Steps()


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


def said(*arguments):
    """What `manage.py rotate_keys` says, and whether it ended well."""
    out = io.StringIO()
    try:
        call_command("rotate_keys", *arguments, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    return out.getvalue(), 0


def visitor_now():
    """How the letters of somebody are found of whom we know an address and nothing else."""
    return letters.visitor(vault.blind_index("email", "nobody@example.org"))


def tables_with(word):
    """The tables in which a word stands anywhere, as PostgreSQL copies them out in binary."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            copy = io.BytesIO()
            cursor.copy_expert(f'COPY "{table}" TO STDOUT (FORMAT binary)', copy)
            found |= {table} if word.encode() in copy.getvalue() else set()
    return found


def files_with(word):
    return [name for name, path, _changed in vault.storage.kept() if word.encode() in path.read_bytes()[:300]]


# --- A whole house ----------------------------------------------------------------------------------------------------


@pytest.fixture
def house(keys, transactional_db, clock):
    """Rows in every table that keeps something of the vault, an application with its files, and what staff did."""
    filled = old_rows.fill()
    Reason.objects.all().delete()  # these belong to no event
    return {place: words for place, words in filled.items() if place[0] is not Reason}


def test_everything_is_under_the_new_key_and_says_the_same(house, keys, clock):
    """One story, because each step needs the one before: a house under one key, and a year later under another."""
    staff = StaffFactory()
    phone_of(staff)
    paper_codes = second_factor.new_recovery_codes(staff, now=MONDAY)
    application = ApplicationFactory(email="amina@example.org", submitted=True, full_name="Amina Canary")
    trail.record(application, "prepared_decline", now=MONDAY, by=staff, reason="They spoke last year.")
    letters.say_nothing_found("nobody@example.org", language="en", now=MONDAY)
    left = ContactFactory(email="left@example.org")
    left.leave(now=MONDAY)
    register = Organisation.objects.create(kind="cso", name="Prison Watch")
    register.learn("Prison Watch", "Watch on Prisons")
    before, papers = old_rows.read(house), [vault.storage.open(name).read() for name in files_with(OLD)]
    handed_out = vault.storage.open(files_with(OLD)[0]).chunks()
    first_piece = next(handed_out)  # somebody is downloading it
    sealing.seal(MONDAY)
    index = Application.objects.get(pk=application.pk).email_index

    keys.add()
    assert tables_with(NEW) == set()
    assert Application.objects.of_address("AMINA@example.org").get() == application
    keys.promote()
    assert Application.objects.of_address("amina@example.org").get() == application  # found under the old key
    words, code = said("--check")
    assert (code, "the-old-key stays" in words) == (1, True)

    words, code = said()
    assert code == 0, words
    assert re.search(r"[1-9]\d* rows and [1-9]\d* files were written again", words)
    assert f"new_keyset --retire {OLD}" in words
    assert tables_with(OLD) == {"trail_event", "trail_seal"}  # as the name beside a code, and nothing else
    assert files_with(OLD) == []
    assert old_rows.read(house) == before
    assert sorted(vault.storage.open(name).read() for name in files_with(NEW)) == sorted(papers)
    assert first_piece + b"".join(handed_out) in papers
    assert Application.objects.of_address("amina@example.org").get() == application  # found under the new key
    assert Application.objects.get(pk=application.pk).email_index != index
    visitors = Letter.objects.filter(**dict(zip(("recipient_kind", "recipient_id"), visitor_now(), strict=True)))
    assert visitors.get().to == "nobody@example.org"
    assert sealing.check().wrong == []
    assert (Reason.objects.get().text, Reason.objects.get().signed.split(":")[0]) == ("They spoke last year.", NEW)

    keys.retire()
    with pytest.raises(vault.Unreadable):
        vault.keyset().key(OLD, "column")
    assert said("--check")[1] == 0
    assert old_rows.read(house) == before
    assert sealing.check().wrong == []  # what was signed under the old key is still known as ours
    trail.record(application, "noted", now=MONDAY)
    sealing.seal(MONDAY + timedelta(minutes=1))
    assert sealing.check().wrong == []
    assert second_factor.check(staff, paper_codes[0], now=MONDAY)
    assert Contact.objects.of_address("left@example.org").gone().get() == left
    assert Organisation.objects.known_as("Prison Watch").get() == register
    assert Organisation.objects.known_as("Watch on Prisons").get() == register  # whose words stand nowhere any more


def test_links_and_sessions_live_on_through_both_changes(keys, db, clock, settings):
    staff, applicant, leave = Client(), Client(), None
    staff.force_login(StaffFactory())
    state_call = StateCallFactory()
    application = Application.start(state_call, email="amina@example.org", language="en", now=MONDAY)
    link = path_in(Letter.objects.get(recipient_id=application.reference), "application")
    applicant.post(link)
    leave = path_in(the_call(ContactFactory(email="lists@example.org"), MONDAY), "leave")
    start = reverse("applications:lost_link")
    shown = hidden(Client().get(start))  # a form that somebody has open
    opened_at = signing.dumps(MONDAY.timestamp(), salt="form shown")

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], secrets.token_urlsafe(48)
    keys.add()
    keys.promote()
    moving.rotate()
    keys.retire()

    clock.shift(timedelta(seconds=30))
    assert staff.get(reverse("admin:index")).status_code == 200
    assert applicant.get(reverse("applications:tasks")).status_code == 200
    assert Client().post(link)["Location"] == reverse("applications:tasks")
    assert signing.loads(opened_at, salt="form shown") == MONDAY.timestamp()
    assert Client().post(start, {"email": "amina@example.org", "language": "en", "shown": shown}).status_code == 302
    assert Client().post(leave).status_code in (200, 302)
    assert Contact.objects.get().left_at


def test_a_link_to_choose_a_password_outlives_another_secret_key(db, clock, settings):
    from presessions.accounts import invitations
    from tests.accounts.test_ways_in import link

    settings.EMAIL_BACKEND = "presessions.mail.backend.OutboxBackend"
    invitations.send_link(StaffFactory(), by=None, now=MONDAY)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], secrets.token_urlsafe(48)
    assert Client().get(link()).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(link()).status_code == 404


# --- While people write -----------------------------------------------------------------------------------------------


def test_no_newer_writing_is_lost_and_none_is_left_under_the_old_key(keys, transactional_db, monkeypatch):
    """Writers on both keys, as web processes that have and have not been restarted, and the rotation over them again
    and again until they stop: each row ends as its writer left it."""
    ContactFactory.create_batch(24)
    Contact.objects.update(source="from the beginning")
    old, new = vault.keyset(), vault.keyset().add(NEW).promote(NEW)
    of_thread, stopped, written, troubles = threading.local(), threading.Event(), {}, []
    monkeypatch.setattr(vault, "keyset", lambda: getattr(of_thread, "keyset", new))
    contacts = list(Contact.objects.order_by("pk").values_list("pk", flat=True))

    def write(mine, keyset, name):
        of_thread.keyset = keyset
        number = 0
        try:
            while not stopped.is_set():
                number += 1
                for key in mine:
                    Contact.objects.filter(pk=key).update(source=f"{name} {number}")
                    written[key] = f"{name} {number}"
        except DatabaseError as error:
            troubles.append(error)
        finally:
            connection.close()

    writers = [
        threading.Thread(target=write, args=(contacts[0:8], new, "restarted")),
        threading.Thread(target=write, args=(contacts[8:16], old, "not yet restarted")),
    ]
    for writer in writers:
        writer.start()
    for _round in range(20):
        overtaken = moving.rotate().overtaken
        if overtaken:
            break
    stopped.set()
    for writer in writers:
        writer.join()
    assert troubles == []
    assert overtaken, "the rotation met nobody: this proves nothing"
    moving.rotate()
    assert {key: Contact.objects.get(pk=key).source for key in written} == written
    assert {row.source for row in Contact.objects.filter(pk__in=contacts[16:])} == {"from the beginning"}
    assert looking.look().of(OLD) == 0
    assert tables_with(OLD) == {"trail_event"}


def test_of_a_step_and_a_rotation_at_once_the_step_wins(keys, db, monkeypatch):
    contact, swap = ContactFactory(), moving._swap
    Contact.objects.update(source="what was read")
    keys.add()
    keys.promote()

    def overtaken(table, key, old, new):
        if table.model is Contact and "first" not in done:
            done.append("first")
            Contact.objects.filter(pk=key).update(source="what somebody wrote meanwhile")
        return swap(table, key, old, new)

    done = []
    monkeypatch.setattr(moving, "_swap", overtaken)
    moved = moving.rotate()
    contact.refresh_from_db()
    assert (moved.overtaken, contact.source) == (1, "what somebody wrote meanwhile")
    assert looking.look().of(OLD) == 0


def test_a_file_that_was_erased_meanwhile_does_not_come_back(keys, db, clock, monkeypatch):
    application, write_again = ApplicationFactory(submitted=True), vault.storage.write_again
    (name,) = files_with(OLD)
    keys.add()
    keys.promote()

    def erased_before_it_is_put_in_place(name):
        content = vault.storage.path(name).read_bytes()
        erasure.erase(application, now=MONDAY)
        vault.storage.delete(name)  # as erasing does once its transaction is committed
        vault.storage.path(name).write_bytes(content)
        write_again(name)

    monkeypatch.setattr(vault.storage, "write_again", erased_before_it_is_put_in_place)
    moving.rotate()
    assert not vault.storage.exists(name)
    assert looking.look().of(OLD) == 0


def test_a_rotation_that_was_killed_goes_on_where_it_was(keys, db, clock, monkeypatch):
    application = ApplicationFactory(submitted=True, full_name="Amina Canary")
    ContactFactory.create_batch(3)
    keys.add()
    keys.promote()

    def killed(what, done, of):
        if what == "applications.Contact":
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        moving.rotate(killed)
    half = looking.look()
    assert half.columns[OLD]
    assert half.columns[NEW]
    assert application.speaker.full_name == "Amina Canary"  # both keys read
    assert said()[1] == 0
    assert looking.look().of(OLD) == 0


# --- What is left, and said -------------------------------------------------------------------------------------------


def test_what_cannot_be_moved_is_named_and_left_as_it_is(keys, db, clock):
    state_call = StateCallFactory()
    first = Application.start(state_call, email="amina@example.org", language="en", now=MONDAY)
    keys.add()
    keys.promote()
    # Two processes, one of them with the old keyset, begin for the same address in the same instant.
    address = {"email": first.email, "email_index": vault.blind_index("email", first.email)}
    twin = Application.objects.create(state_call=state_call, created_at=MONDAY, **address)
    strange = ContactFactory()
    with connection.cursor() as cursor:
        nobodys = [b"\x01\x04gone" + b"x" * 40, strange.pk]
        cursor.execute("UPDATE applications_contact SET source = %s WHERE id = %s", nobodys)
    words, code = said()
    assert code == 1
    assert f"under the new key already; look at both:\n  applications.Application {first.pk}\n" in words
    assert f"left as they are:\n  applications.Contact {strange.pk}, source" in words
    assert "Key gone IS NOT IN THE KEYSET: 1 values" in words
    assert {one.email for one in Application.objects.filter(pk__in=[first.pk, twin.pk])} == {"amina@example.org"}
    assert "amina" not in words


def test_a_forged_reason_does_not_become_ours(keys, db, clock):
    application = ApplicationFactory()
    trail.record(application, "noted", now=MONDAY, reason="the true one")
    trail.record(application, "noted", now=MONDAY, reason="another one")
    true, other = Reason.objects.order_by("pk")
    Reason.objects.filter(pk=true.pk).update(text="what somebody with the database put there")
    keys.add()
    keys.promote()
    moving.rotate()
    assert sealing.check().wrong == [f"the reason of event {true.event_id} was changed"]
    assert Reason.objects.get(pk=other.pk).signed.startswith(f"{NEW}:")


def test_an_answer_of_a_mail_server_changes_its_key_and_nothing_else(keys, db, clock):
    """The table is append-only: triggers let a row through whose answer has another key, and no other change."""
    letter = Letter.objects.get(recipient_id=ApplicationFactory().reference)
    rows = [Attempt.objects.create(letter=letter, at=MONDAY, number=n, state="sent", answer=f"250 {n}") for n in (1, 2)]
    with connection.cursor() as cursor:
        for forbidden in ("answer = (SELECT answer FROM mail_attempt WHERE number = 2)", "code = 'x'"):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(f"UPDATE mail_attempt SET {forbidden} WHERE id = %s", [rows[0].pk])
    keys.add()
    keys.promote()
    moving.rotate()
    assert [Attempt.objects.get(pk=row.pk).answer for row in rows] == ["250 1", "250 2"]
    assert looking.look().of(OLD) == 0


def test_an_index_of_which_nobody_said_what_it_is_of_stops_the_rotation(keys, db, monkeypatch):
    from presessions.rotation import tables

    monkeypatch.delitem(tables.INDEXES, "missions.Colleague.email_index")
    with pytest.raises(tables.Unknown, match=r"what missions\.Colleague\.email_index is the index of"):
        moving.rotate()


def test_tries_at_a_password_are_counted_on_under_the_new_key(keys, db, clock, rf):
    from presessions.accounts import tries

    request = rf.get("/")
    for _number in range(tries.FROM_ONE_PLACE):
        tries.Counter(request, tries.PASSWORD, "ada@example.org", now=MONDAY).begin()
    keys.add()
    keys.promote()
    with pytest.raises(tries.TooMany):
        tries.Counter(request, tries.PASSWORD, "ada@example.org", now=MONDAY).begin()


def test_the_cost_of_looking_does_not_grow_with_the_rows(keys, db, django_assert_num_queries):
    ContactFactory()
    with connection.execute_wrapper(lambda *call: counted.append(1) or call[0](*call[1:4], call[4])):
        counted = []
        looking.look()
        one = len(counted)
        ContactFactory.create_batch(4)
        counted.clear()
        looking.look()
    assert len(counted) == one
