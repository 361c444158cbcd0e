"""C6: what happened is written down, and cannot be rewritten.

Whoever reads, downloads, exports, changes or logs in leaves an event. The application itself cannot alter one; a
superuser of the database who does is found out, and the row is named. The bar: each is recorded, 0 go unnoticed.
"""

import json
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from django.urls import reverse

from applications.models import Application
from presessions import trail, vault
from presessions.accounts import second_factor
from presessions.mail import tasks
from presessions.mail.leaving import leaving
from presessions.trail import sealing, signing
from presessions.trail.models import Event, Reason, Seal, Unsealed
from tests.accounts.factories import KEY, StaffFactory, phone_of
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, looked_through

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


# --- It is written down -----------------------------------------------------------------------------------------------


@pytest.fixture
def staff():
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def application():
    made = ApplicationFactory(state_call=StateCallFactory(), submitted=True, security_note="They follow her.")
    looked_through(made)
    return made


def desk(name, *keys):
    return reverse(f"admin:applications_{name}", args=keys)


LOOKS = {
    "opening the page of somebody at risk": ("get", "application_change", {}, "opened_masked"),
    "revealing it": ("post", "reveal", {"reason": "A call."}, "revealed"),
    "opening it then": ("get", "application_change", {}, "opened_revealed"),
    "reading the private note": ("post", "security_note", {}, "security_note_read"),
    "downloading a document": ("get", "document", {}, "document_read"),
    "assessing": ("post", "assess", {"overall": "strong"}, "assessed"),
    "preparing an answer": ("post", "prepare", {"decision": "accept"}, "prepared_accept"),
}


def test_whoever_reads_reveals_downloads_or_changes_leaves_an_event_with_their_name(client, staff, application):
    client.force_login(staff)
    for what, (method, name, posted, code) in LOOKS.items():
        keys = [application.pk, application.upr_submission.pk] if name == "document" else [application.pk]
        before = Event.objects.count()
        answer = getattr(client, method)(desk(name, *keys), posted)
        assert answer.status_code in (200, 302), what
        assert Event.objects.count() == before + 1, what
        event = Event.objects.latest("pk")
        assert (event.code, event.reference, event.staff_id) == (code, application.reference, staff.pk), what


def test_an_export_is_written_down_with_whom_it_is_for_and_how_many_rows(client, staff, application):
    client.force_login(staff)
    asked = {"audience": "internal", "filter": "stands=all", "format": "csv"}
    assert client.post(reverse("admin:applications_application_export"), asked).status_code == 200
    taken = Event.objects.about(staff).get(code="exported")
    assert taken.staff_id == staff.pk
    assert "internal" in taken.reason.text


def test_each_way_in_and_out_and_each_wrong_password_is_written_down(client, staff):
    staff.set_password("a long password of Nadia's")
    staff.save()
    phone_of(staff)
    for password in ("wrong", "a long password of Nadia's"):
        client.post(reverse("admin:login"), {"username": staff.email, "password": password})
    client.post(reverse("admin:second_factor"), {"code": second_factor.code_at(KEY, MONDAY)})
    client.post(reverse("admin:logout"))
    assert list(Event.objects.about(staff).values_list("code", "refused")) == [
        ("logged_in", True),
        ("logged_in", False),
        ("logged_out", False),
    ]


def test_a_step_that_is_refused_is_written_down_too(client, staff, application):
    client.force_login(staff)
    application.withdraw(now=MONDAY)
    client.post(desk("reveal", application.pk), {"reason": ""})
    client.post(desk("prepare", application.pk), {"decision": "accept"})
    refused = Event.objects.about(application).filter(refused=True).values_list("code", "staff_id")
    assert list(refused) == [("revealed", staff.pk), ("prepared_accept", staff.pk)]


# --- The application cannot rewrite it --------------------------------------------------------------------------------


@pytest.fixture
def three_events(staff):
    written(staff, 3)
    sealing.seal(MONDAY)
    run("SET CONSTRAINTS ALL IMMEDIATE")  # as after a commit


@pytest.fixture
def as_the_application():
    """A role that may do anything to rows and owns nothing, as a deployment should have one."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain_application")
        cursor.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON trail_event, trail_seal, trail_unsealed, trail_reason"
            " TO plain_application"
        )
        cursor.execute("SET ROLE plain_application")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def refused(statement):
    with pytest.raises((ProgrammingError, InternalError), match="append-only"), transaction.atomic():
        run(statement)


def run(statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_application_can_neither_change_nor_remove_events_and_seals(three_events, as_the_application):
    for table, column in (("trail_event", "code"), ("trail_seal", "code")):
        refused(f"UPDATE {table} SET {column} = 'nothing'")
        refused(f"DELETE FROM {table}")
        refused(f"TRUNCATE {table} CASCADE")
    assert Event.objects.filter(code="looked").count() == 3


# --- And whoever goes behind its back is found out --------------------------------------------------------------------


def written(staff, number):
    return [trail.record(staff, "looked", now=MONDAY, by=staff, reason="Because.") for _ in range(number)]


@pytest.fixture
def chain(staff):
    """Ten events in the chain; as a superuser of the database, all triggers asleep."""
    events = written(staff, 10)
    assert sealing.seal(MONDAY) == 10
    assert sealing.check().wrong == []
    run("SET session_replication_role = replica")
    yield events
    run("DELETE FROM trail_reason WHERE event_id NOT IN (SELECT id FROM trail_event)")  # for the test's own end
    run("SET session_replication_role = DEFAULT")


def wrong():
    return sealing.check().wrong


def test_an_event_that_was_changed_is_named(chain):
    run("UPDATE trail_event SET code = 'nothing' WHERE id = %s", [chain[4].pk])
    assert wrong() == [f"event {chain[4].pk} was changed (seal 5)"]


@pytest.mark.parametrize(
    "change",
    ["at = at + interval '1 microsecond'", "room = 'x.y'", "reference = 'x'", "staff_id = NULL", "refused = true",
     "nonce = repeat('0', 32)", "signed = ''"],
)  # fmt: skip
def test_nothing_of_an_event_can_be_changed_unnoticed(chain, change):
    run(f"UPDATE trail_event SET {change} WHERE id = %s", [chain[4].pk])
    assert f"event {chain[4].pk} was changed (seal 5)" in wrong()


def test_an_event_that_was_taken_out_is_named(chain):
    run("DELETE FROM trail_event WHERE id = %s", [chain[4].pk])
    assert wrong() == [f"event {chain[4].pk} is missing (seal 5)"]


def test_an_event_taken_out_with_its_seal_leaves_a_gap(chain):
    run("DELETE FROM trail_event WHERE id = %s", [chain[4].pk])
    run("DELETE FROM trail_seal WHERE event_id = %s", [chain[4].pk])
    assert "1 seals are missing before seal 6" in wrong()


def test_closing_the_gap_does_not_fit(chain):
    run("DELETE FROM trail_event WHERE id = %s", [chain[4].pk])
    run("DELETE FROM trail_seal WHERE event_id = %s", [chain[4].pk])
    for number in range(6, 11):
        run("UPDATE trail_seal SET number = number - 1 WHERE number = %s", [number])
    assert [line for line in wrong() if "does not fit" in line]


def test_the_end_that_was_cut_off_is_known_outside_the_database(chain):
    run("DELETE FROM trail_event WHERE id >= %s", [chain[7].pk])
    run("DELETE FROM trail_seal WHERE number >= 8")
    (line,) = wrong()
    assert line.startswith("the chain ends at seal 7; outside the database 10 were known on 2026-03-02")


def test_a_chain_made_anew_is_another_than_was_known_outside(chain, settings):
    path = Path(settings.MAIL_JOURNAL) / "trail.json"
    path.write_text(json.dumps({"number": 10, "code": "1:" + "0" * 64, "at": "2026-03-02"}))
    assert wrong() == ["seal 10 is another one than was known outside the database on 2026-03-02"]


def test_an_event_that_somebody_else_wrote_is_named_whether_or_not_the_bell_has_seen_it(staff):
    run(
        "INSERT INTO trail_event (at, room, reference, code, staff_id, refused, nonce, signed)"
        " VALUES (now(), 'accounts.user', '1', 'logged_in', %s, false, 'abc', %s) RETURNING id",
        [staff.pk, "1:" + "0" * 64],
    )
    foreign = Event.objects.latest("pk")
    says = [f"event {foreign.pk} is foreign: it was not written by this application"]
    assert wrong() == says
    assert sealing.seal(MONDAY) == 0
    assert wrong() == says


def test_an_event_of_ours_put_in_a_second_time_is_named(chain):
    run("SET session_replication_role = DEFAULT")
    run(
        "INSERT INTO trail_event (at, room, reference, code, staff_id, refused, nonce, signed)"
        " SELECT at, room, reference, code, staff_id, refused, nonce, signed FROM trail_event WHERE id = %s",
        [chain[4].pk],
    )
    copy = Event.objects.latest("pk")
    sealing.seal(MONDAY)
    assert wrong() == [f"event {copy.pk} is foreign: a copy of event {chain[4].pk}"]


def test_a_reason_that_was_exchanged_is_named(chain, staff):
    (other,) = [trail.record(staff, "looked", now=MONDAY, by=staff, reason="Another reason.")]
    run(
        "UPDATE trail_reason SET text = (SELECT text FROM trail_reason WHERE event_id = %s) WHERE event_id = %s",
        [other.pk, chain[4].pk],
    )
    assert f"the reason of event {chain[4].pk} was changed" in wrong()


def test_a_reason_that_was_erased_is_no_finding_and_leaves_nothing_of_itself(chain):
    Reason.objects.all().delete()
    assert wrong() == []


def test_an_event_that_goes_before_the_bell_rings_is_missed(staff):
    (event,) = written(staff, 1)
    Reason.objects.all().delete()
    run("SET session_replication_role = replica")
    run("DELETE FROM trail_event WHERE id = %s", [event.pk])
    run("SET session_replication_role = DEFAULT")
    sealing.seal(MONDAY)
    assert wrong() == [f"event {event.pk} is missing (it waited for its seal)"]


# --- The chain itself -------------------------------------------------------------------------------------------------


def test_the_bell_seals_what_has_become_visible(staff, application):
    tasks.ring(0, stop=leaving)
    assert not Unsealed.objects.exists()
    assert set(Seal.objects.values_list("event_id", flat=True)) == set(Event.objects.values_list("pk", flat=True))
    head = json.loads((Path(sealing._folder()) / "trail.json").read_text())
    last = Seal.objects.latest("number")
    assert (head["number"], head["code"]) == (last.number, last.code)


def test_an_event_that_becomes_visible_late_is_sealed_after_those_with_higher_numbers(staff):
    first, second = written(staff, 2)
    Unsealed.objects.filter(event_id=first.pk).delete()  # as it is while its transaction has not ended
    sealing.seal(MONDAY)
    Unsealed.objects.create(event_id=first.pk)
    sealing.seal(MONDAY)
    assert list(Seal.objects.order_by("number").values_list("event_id", flat=True)) == [second.pk, first.pk]
    assert wrong() == []


def test_a_ring_with_nothing_to_seal_costs_two_questions(staff, django_assert_num_queries):
    written(staff, 3)
    sealing.seal(MONDAY)
    with django_assert_num_queries(4):  # two of them open and close the block
        assert sealing.seal(MONDAY) == 0


def test_a_key_that_was_added_seals_on_and_reads_what_was_sealed_before(staff, settings):
    written(staff, 2)
    sealing.seal(MONDAY)
    old = json.loads(settings.VAULT_KEYSET)
    fresh = json.loads(vault.new_keyset("fresh"))
    settings.VAULT_KEYSET = json.dumps({"primary": "fresh", "keys": {**old["keys"], **fresh["keys"]}})
    written(staff, 2)
    sealing.seal(MONDAY)
    assert Seal.objects.latest("number").code.startswith("fresh:")
    assert wrong() == []


def test_a_key_that_is_gone_is_said_to_be_gone(staff, settings):
    written(staff, 1)
    sealing.seal(MONDAY)
    settings.VAULT_KEYSET = vault.new_keyset("other")
    assert wrong()[0].endswith("cannot be checked: its key is not in the keyset")


def test_without_the_key_nobody_can_make_a_code(staff, settings):
    (event,) = written(staff, 1)
    key = settings.VAULT_KEYSET
    settings.VAULT_KEYSET = vault.new_keyset(json.loads(key)["primary"])  # the same name, another key
    assert not signing.is_ours(event)


def test_a_restored_backup_keeps_the_head_that_knew_more(chain, staff, settings):
    run("SET session_replication_role = DEFAULT")
    path = Path(settings.MAIL_JOURNAL) / "trail.json"
    path.write_text(json.dumps({"number": 99, "code": "1:" + "f" * 64, "at": "2026-03-01"}))
    written(staff, 1)
    sealing.seal(MONDAY)
    assert json.loads(path.read_text())["number"] == 11
    assert wrong() == ["the chain ends at seal 11; outside the database 99 were known on 2026-03-01"]


def test_the_command_names_what_is_wrong_and_ends_with_one(chain):
    told = StringIO()
    call_command("check_trail", stdout=told)
    assert "nothing was changed, taken out or put in" in told.getvalue()
    run("UPDATE trail_event SET staff_id = 4711 WHERE id = %s", [chain[4].pk])
    told = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_trail", stdout=told, no_color=True)
    assert ended.value.code == 1
    assert f"event {chain[4].pk} was changed" in told.getvalue()


def test_an_application_that_is_erased_leaves_the_chain_whole(application):
    from applications import erasure

    sealing.seal(MONDAY)
    erasure.erase(application, now=MONDAY, by=StaffFactory(), reason="They asked.")
    sealing.seal(MONDAY)
    assert wrong() == []
    assert Application.objects.get().erased_at
