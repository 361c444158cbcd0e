"""From quarantine to a copy that staff may open: each file once, whoever works, and whoever dies meanwhile."""

import base64
import importlib
import io
import resource
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace

import pikepdf
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from applications import cleaning, rules, sandbox, tasks
from applications.models import Application, Attachment
from applications.refusals import REFUSALS
from presessions import vault
from presessions.mail.models import Alarm, Letter
from presessions.trail.models import Event
from tests.applications import hostile, program
from tests.applications.factories import MONDAY, ApplicationFactory, looked_through, upload

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
Kind, State = Attachment.Kind, Attachment.State


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


def waiting(content=None, content_type="pdf", application=None, **facts):
    """A file in quarantine, whatever the door would have said of it."""
    application = application or ApplicationFactory(complete=False)
    verdict = SimpleNamespace(content_type=content_type, name=f"submission.{content_type}")
    content = hostile.pdf() if content is None else content
    return application.attach(upload(content), Kind.UPR_SUBMISSION, verdict, now=MONDAY, **facts)


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Put another program in the sandbox's place."""

    def put(source):
        script = tmp_path / "program.py"
        script.write_text(source)
        monkeypatch.setattr(sandbox, "PROGRAM", script)

    return put


def stored_files(settings):
    return {path.name for path in settings.PRIVATE_FILES.rglob("*") if path.is_file()}


# --- The way through ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("content_type", "make"), [("pdf", hostile.pdf), ("docx", hostile.docx), ("odt", hostile.odt)])
def test_a_file_waits_in_quarantine_until_a_cleaned_copy_lies_beside_it(settings, content_type, make):
    file = waiting(make(), content_type)
    assert (file.state, file.next_look_at, file.cleaned) == (State.QUARANTINE, MONDAY, "")
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    file.refresh_from_db()
    assert (file.state, file.checked_at, file.next_look_at) == (State.CHECKED, MONDAY, None)
    copy = vault.storage.open(file.cleaned).read()
    assert (len(copy), file.cleaned_size) == (file.cleaned_size, len(copy))
    assert copy != make()
    assert vault.storage.open(file.stored).read()[:4] == copy[:4]  # what was received stays what it was
    assert stored_files(settings) == {file.stored, file.cleaned}
    assert Event.objects.about(file.application).filter(code="file_checked").exists()
    assert not Letter.objects.filter(kind="file_refused").exists()


@pytest.mark.parametrize(
    ("content_type", "make", "words"),
    [
        ("pdf", lambda: hostile.pdf(pages=3), 9),
        ("docx", lambda: hostile.docx(body="<w:p><w:r><w:t>two words</w:t></w:r></w:p>"), 3),
        ("odt", lambda: hostile.odt(body="<text:p>two words</text:p>"), 3),
    ],
)
def test_the_words_of_the_text_are_counted(content_type, make, words):
    waiting(make(), content_type)
    cleaning.look_through(MONDAY)
    assert Attachment.objects.get().words == words


def test_where_nobody_can_count_the_file_is_checked_all_the_same(monkeypatch):
    run = sandbox.run
    monkeypatch.setattr(sandbox, "run", lambda what, *rest: "" if what == "count" else run(what, *rest))
    waiting()
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    assert Attachment.objects.get().words is None


def test_a_file_is_taken_once(django_assert_num_queries):
    waiting()
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    assert cleaning.look_through(MONDAY) == {}


def test_a_file_is_not_taken_before_it_is_due_and_one_without_a_date_is():
    waiting(), waiting()
    first, second = Attachment.objects.order_by("pk")
    Attachment.objects.filter(pk=first.pk).update(next_look_at=MONDAY + MINUTE)
    Attachment.objects.filter(pk=second.pk).update(next_look_at=None)  # however that came about
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    second.refresh_from_db()
    assert second.state == State.CHECKED


def test_the_bell_and_the_command_do_the_same(capsys, monkeypatch):
    monkeypatch.setattr(cleaning.watch, "seen", lambda part, now: None)
    waiting()
    tasks.check_files()
    assert Attachment.objects.get().state == State.CHECKED
    call_command("check_files")
    assert capsys.readouterr().out == "nothing waited\n"
    waiting()
    call_command("check_files")
    assert capsys.readouterr().out == "1 checked\n"


def test_no_transaction_is_open_while_a_file_is_looked_into(monkeypatch, transactional_db):
    open_ones = []
    run = sandbox.run
    monkeypatch.setattr(sandbox, "run", lambda *args: open_ones.append(connection.in_atomic_block) or run(*args))
    waiting()
    cleaning.look_through(MONDAY)
    assert open_ones == [False, False]


def test_two_workers_never_get_the_same_file(transactional_db):
    waiting(), waiting()
    others = []

    def work():
        others.append(cleaning._claim(MONDAY).pk)
        connection.close()

    with transaction.atomic():
        mine = cleaning._waiting(MONDAY).select_for_update().first()
        thread = threading.Thread(target=work)
        thread.start(), thread.join()
    assert [mine.pk, *others] == sorted(Attachment.objects.values_list("pk", flat=True))


# --- Refused --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_cleaned_is_refused_and_the_applicant_told_in_words():
    file = waiting(b"%PDF-1.7\nnoise")
    assert cleaning.look_through(MONDAY) == {"refused": 1}
    file.refresh_from_db()
    assert (file.state, file.refused_because, file.cleaned) == (State.REFUSED, "unreadable", "")
    assert file.refusal == REFUSALS["unreadable"]
    assert Event.objects.about(file.application).filter(code="file_refused").exists()
    letter = Letter.objects.get(kind="file_refused")
    assert letter.subject == "Please send your file once more"
    for words in (file.application.reference, *map(str, file.refusal), "/application/"):
        assert "".join(words.split()) in "".join(letter.kept.split())
    assert file.original_name not in letter.kept


def test_the_letter_speaks_the_applicant_s_language():
    waiting(b"%PDF-1.7\nnoise", application=ApplicationFactory(complete=False, language="fr"))
    with translation.override("ar"):
        cleaning.look_through(MONDAY)
    with translation.override(Letter.objects.get(kind="file_refused").language):
        assert str(REFUSALS["unreadable"][0]) in Letter.objects.get(kind="file_refused").kept.replace("\n", " ")


def test_a_refused_file_is_missing_again_and_the_one_before_it_counts():
    application = ApplicationFactory()
    kept = looked_through(application)
    waiting(b"%PDF-1.7\nnoise", application=application)
    assert looked_through(application).state == State.REFUSED
    assert Application.objects.get().upr_submission == kept
    Attachment.objects.filter(pk=kept.pk).delete()
    assert Application.objects.get().upr_submission is None


def test_of_a_file_that_has_been_replaced_nobody_is_told():
    application = ApplicationFactory(complete=False)
    waiting(b"%PDF-1.7\nnoise", application=application)
    waiting(application=application)
    assert cleaning.look_through(MONDAY) == {"refused": 1, "checked": 1}
    assert not Letter.objects.filter(kind="file_refused").exists()


def test_a_file_that_is_not_what_the_door_took_it_for_is_refused():
    waiting(hostile.docx(), "pdf")
    assert cleaning.look_through(MONDAY) == {"refused": 1}


# --- Killed, hanging, erased ----------------------------------------------------------------------------------------


def test_after_a_worker_killed_in_the_middle_the_next_one_goes_on_when_the_lease_ends(monkeypatch):
    def killed(*args):
        raise KeyboardInterrupt

    waiting()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            cleaning.look_through(MONDAY)
    assert cleaning.look_through(MONDAY + MINUTE) == {}  # it may still be at work
    assert cleaning.look_through(MONDAY + cleaning.LEASE) == {"checked": 1}


@pytest.mark.parametrize("source", ["import os; os.abort()", "print('cleaned pdf 99')"])
def test_a_file_that_kills_whoever_looks_into_it_is_refused_in_the_end(stand_in, source):
    stand_in(source)
    waiting()
    outcomes = [*(cleaning.look_through(MONDAY + number * MINUTE) for number in range(4))]
    assert outcomes == [{"again": 1}, {"again": 1}, {"again": 1}, {"refused": 1}]
    assert Attachment.objects.get().refused_because == "unreadable"


def test_a_stop_by_the_clock_is_our_trouble_and_never_refuses_a_file(stand_in, monkeypatch):
    with monkeypatch.context() as patch:
        script = sandbox.PROGRAM
        stand_in("import time; time.sleep(60)")
        patch.setattr(sandbox, "SECONDS_TO_CLEAN", 0.2)
        file = waiting()
        hours = [MONDAY + timedelta(hours=number) for number in range(6)]
        assert [cleaning.look_through(now) for now in hours] == [{"again": 1}] * 6
    file.refresh_from_db()
    assert (file.state, file.looks) == (State.QUARANTINE, 0)
    assert file.next_look_at == hours[-1] + cleaning.AT_LATEST  # looked at less and less often
    monkeypatch.setattr(sandbox, "PROGRAM", script)
    assert cleaning.look_through(file.next_look_at) == {"checked": 1}


def test_files_that_cannot_be_read_keep_no_others_waiting_and_are_named(settings, caplog):
    lost = [waiting() for _number in range(3)]
    for file in lost:
        for path in settings.PRIVATE_FILES.rglob(file.stored):
            path.unlink()
    waiting()
    assert cleaning.look_through(MONDAY) == {"trouble": 3, "checked": 1}
    assert all(file.application.reference in caplog.text for file in lost)
    assert set(Attachment.objects.filter(state=State.QUARANTINE).values_list("looks", flat=True)) == {0}


def test_an_old_version_waits_until_all_others_are_done(monkeypatch):
    looked, look = [], cleaning._look
    monkeypatch.setattr(cleaning, "_look", lambda file, now: looked.append(file.pk) or look(file, now))
    application = ApplicationFactory(complete=False)
    first = waiting(hostile.pdf(pages=2), application=application)
    second = waiting(hostile.pdf(pages=3), application=application)
    other = waiting()
    assert cleaning.look_through(MONDAY) == {"checked": 3}
    assert looked == [second.pk, other.pk, first.pk]


def test_while_its_successor_waits_an_old_version_is_not_looked_at():
    application = ApplicationFactory(complete=False)
    waiting(hostile.pdf(pages=2), application=application)
    waiting(hostile.pdf(pages=3), application=application)
    Attachment.objects.filter(version=2).update(next_look_at=MONDAY + MINUTE)
    assert cleaning.look_through(MONDAY) == {}
    assert cleaning.look_through(MONDAY + MINUTE) == {"checked": 2}


def tagged(number):
    """A tagged document with so many parts, some of which say something about users."""

    def add(document):
        root = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))
        part = {"Type": pikepdf.Name.StructElem, "S": pikepdf.Name.P, "P": root}
        parts = [document.make_indirect(pikepdf.Dictionary(**part, K=each)) for each in range(number)]
        parts[-1]["/T"] = pikepdf.String("the minister")
        root.K = pikepdf.Array(parts)
        document.Root.StructTreeRoot = root

    return hostile.pdf(add, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def test_a_long_tagged_document_is_cleaned_with_much_time_to_spare():
    waiting(tagged(50_000))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 20
    with pikepdf.open(io.BytesIO(vault.storage.open(Attachment.objects.get().cleaned).read())) as copy:
        assert len(copy.Root.StructTreeRoot.K) == 50_000
        assert "/T" not in copy.Root.StructTreeRoot.K[-1]


@pytest.mark.parametrize("filters", [["ASCII85Decode"], ["ASCIIHexDecode"], ["LZWDecode"], ["FlateDecode"]])
def test_a_picture_packed_as_old_printers_did_refuses_no_file(filters):
    jpeg = b"\xff\xd8\xff\xfe\0\x0eminister\0\0\0\0\xff\xd9"
    packed = {"ASCII85Decode": base64.a85encode(jpeg) + b"~>", "ASCIIHexDecode": jpeg.hex().encode() + b">"}

    def add(document):
        picture = document.make_stream(packed.get(filters[0], b"noise"), Width=9, Height=9, BitsPerComponent=8)
        for key, value in {"Type": "XObject", "Subtype": "Image", "ColorSpace": "DeviceRGB"}.items():
            picture[f"/{key}"] = pikepdf.Name(f"/{value}")
        picture.Filter = pikepdf.Array([pikepdf.Name(f"/{each}") for each in (*filters, "DCTDecode")])
        document.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))

    waiting(hostile.pdf(add))
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    with pikepdf.open(io.BytesIO(vault.storage.open(Attachment.objects.get().cleaned).read())) as copy:
        picture = copy.pages[0].Resources.XObject.Im0
        assert b"minister" not in picture.read_raw_bytes()
        assert (picture.Width == 9) is (filters[0] in packed)


def test_what_was_erased_meanwhile_stays_erased(monkeypatch, settings):
    file, run = waiting(), sandbox.run

    def erased_meanwhile(*args):
        Attachment.objects.update(state=State.ERASED)
        return run(*args)

    monkeypatch.setattr(sandbox, "run", erased_meanwhile)
    assert cleaning.look_through(MONDAY) == {"lost": 1}
    assert Attachment.objects.get().state == State.ERASED
    assert stored_files(settings) == {file.stored}  # no copy is left behind


def test_who_has_lost_the_lease_changes_nothing(monkeypatch):
    waiting()
    slow = cleaning._claim(MONDAY)
    assert cleaning.look_through(MONDAY + cleaning.LEASE) == {"checked": 1}
    assert cleaning._look(slow, MONDAY + cleaning.LEASE) == "lost"
    assert Attachment.objects.get().state == State.CHECKED


def test_a_disk_that_is_away_is_not_the_file_s_fault(settings, tmp_path):
    file = waiting()
    settings.PRIVATE_FILES, there = tmp_path / "elsewhere", settings.PRIVATE_FILES
    for number in range(6):
        assert cleaning.look_through(MONDAY + number * MINUTE) == {"trouble": 1}
    assert Alarm.objects.filter(code="files", ended_at=None).count() == 0
    cleaning.look_through(MONDAY + 6 * MINUTE)
    assert Alarm.objects.filter(code="files", ended_at=None).count() == 1
    settings.PRIVATE_FILES = there
    assert cleaning.look_through(MONDAY + 7 * MINUTE) == {"checked": 1}
    assert not Alarm.objects.filter(ended_at=None).exists()
    file.refresh_from_db()
    assert file.state == State.CHECKED


def test_a_copy_larger_than_announced_or_without_end_is_cut_and_not_kept(stand_in):
    stand_in(
        "import sys\nsys.stdin.buffer.read()\nsys.stdout.write('cleaned pdf 999999999\\n')\nsys.stdout.write('x' * 9)"
    )
    waiting()
    assert cleaning.look_through(MONDAY) == {"again": 1}


def test_what_the_program_says_is_one_short_line(stand_in):
    stand_in("import sys\nsys.stdin.buffer.read()\nsys.stdout.write('x' * 10_000_000)")
    waiting()
    cleaning.look_through(MONDAY)
    assert Attachment.objects.get().refused_because == "unreadable"


# --- Costs ----------------------------------------------------------------------------------------------------------


def vars_of(file):
    return {field.attname: getattr(file, field.attname) for field in file._meta.fields if not field.primary_key}


def test_looking_costs_the_same_when_nothing_waits_however_many_are_done():
    file = waiting()
    cleaning.look_through(MONDAY)
    file.refresh_from_db()
    costs = []
    for number in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert cleaning.look_through(MONDAY + (number + 1) * MINUTE) == {}
        costs.append(len(asked))
        rows = [Attachment(**{**vars_of(file), "version": 2 + 30 * number + each}) for each in range(30)]
        Attachment.objects.bulk_create(rows)
    assert costs[0] == costs[1]


def test_files_from_before_there_were_cleaned_copies_are_cleaned_as_well():
    file = waiting()
    Attachment.objects.update(state=State.CHECKED, checked_at=MONDAY, next_look_at=None)
    migration = importlib.import_module("applications.migrations.0007_back_to_quarantine")
    migration.back_to_quarantine(apps, None)
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    file.refresh_from_db()
    assert file.is_readable
    migration.back_to_quarantine(apps, None)
    assert cleaning.look_through(MONDAY) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two words",
        "  a – b, c!  ",
        "’tis the State’s",
        "人权理事会 2027",
        "ひらがな カタカナ",
        "حقوق الإنسان",
        "1,000 & 5%",
        "e\u0301tude",
    ],
)
def test_words_of_a_file_are_counted_as_words_of_an_answer_are(text):
    program.load()
    assert sys.modules["counting"].words(text) == rules.count_words(text)
