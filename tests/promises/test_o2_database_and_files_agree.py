"""O2. Database and private files agree: a file is deleted, altered, added; the check names each of the three.

Of each kind of file that a row can name: what was received, the cleaned copy, a piece of what is on its way in.
"""

import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from applications import books, uploads
from applications.models import Attachment, Piece, Upload
from presessions import vault
from tests.applications.factories import ApplicationFactory, upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder_of_its_own(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


@pytest.fixture
def rows():
    """{what names a file: (its row, whose it is)}: a file, its cleaned copy, a piece of one that is on its way in."""
    now = timezone.now()
    application = ApplicationFactory()
    facts = {"size": 3, "sha256": sha256(b"PDF"), "cleaned_size": 3, "cleaned_sha256": sha256(b"ODT")}
    attachment = Attachment.objects.create(
        application=application, kind="statement", version=1, uploaded_at=now, original_name="words.pdf",
        stored=kept(b"PDF"), cleaned=kept(b"ODT"), **facts,
    )  # fmt: skip
    on_its_way = Upload.objects.create(
        application=application, key="k", kind="statement", size=9, begun_at=now, touched_at=now
    )
    piece = Piece.objects.create(upload=on_its_way, start=0, size=3, stored=kept(b"one"))
    return {
        (Attachment, "stored"): (attachment, application.reference),
        (Attachment, "cleaned"): (attachment, application.reference),
        (Piece, "stored"): (piece, application.reference),
    }


def kept(content):
    return vault.storage.keep(upload(content))


def sha256(content):
    return books.hashlib.sha256(content).hexdigest()


def found(after=timedelta(hours=2)):
    return [(one.what, one.name, one.owner) for one in books.differences(timezone.now() + after)]


def test_all_that_can_name_a_file_is_compared():
    assert books.NOTED.keys() == set(uploads.FILES)


def test_where_all_is_well_the_check_says_so(rows):
    said = StringIO()
    call_command("check_books", stdout=said)
    assert said.getvalue() == "Database and private files agree: 4 files.\n"
    assert found() == []


@pytest.mark.parametrize("which", books.NOTED)
def test_a_deleted_file_is_named_with_whose_it_was(rows, which):
    row, reference = rows[which]
    name = getattr(row, which[1])
    vault.storage.path(name).unlink()
    assert found() == [("deleted", name, reference)]


@pytest.mark.parametrize("which", books.NOTED)
@pytest.mark.parametrize(
    "harmed",
    [lambda stored: stored[:-1], lambda stored: b"", lambda stored: stored[:-1] + bytes([stored[-1] ^ 1])],
    ids=["cut short", "emptied", "one bit"],
)
def test_an_altered_file_is_named_with_whose_it_was(rows, which, harmed):
    row, reference = rows[which]
    path = vault.storage.path(getattr(row, which[1]))
    path.write_bytes(harmed(path.read_bytes()))
    assert found() == [("altered", path.name, reference)]


@pytest.mark.parametrize("column", ["stored", "cleaned"])
def test_a_file_in_the_place_of_another_is_named_though_it_opens(rows, column):
    """A piece has no hash of its own: that of the whole file is asked when the last piece has come."""
    attachment, reference = rows[Attachment, column]
    path, other = vault.storage.path(getattr(attachment, column)), vault.storage.path(kept(b"XYZ"))
    other.rename(path)
    assert found() == [("altered", path.name, reference)]


def test_an_added_file_is_named_once_it_is_too_old_to_be_on_its_way(rows):
    stranger = kept(b"whose?")
    assert found() == [("added", stranger, "")]
    assert found(after=timedelta(minutes=59)) == []


def test_the_command_names_all_three_changes_nothing_and_ends_with_an_error(rows):
    attachment, reference = rows[Attachment, "stored"]
    vault.storage.path(attachment.stored).unlink()
    vault.storage.path(attachment.cleaned).write_bytes(b"PSV1")
    stranger = kept(b"whose?")
    hours_ago = (timezone.now() - timedelta(hours=2)).timestamp()
    os.utime(vault.storage.path(stranger), (hours_ago, hours_ago))
    before = sorted(name for name, _path, _changed in vault.storage.kept())
    said = StringIO()
    with pytest.raises(CommandError, match="disagree about 3 files"):
        call_command("check_books", stdout=said)
    lines = said.getvalue().splitlines()
    assert lines[0].startswith(f"deleted  {attachment.stored}  of application {reference}")
    assert lines[1].startswith(f"altered  {attachment.cleaned}  of application {reference}")
    assert lines[2].startswith(f"added    {stranger}  ")
    assert "words.pdf" not in said.getvalue()
    assert sorted(name for name, _path, _changed in vault.storage.kept()) == before


def test_what_is_erased_while_the_check_runs_is_no_difference(rows, monkeypatch):
    attachment, _reference = rows[Attachment, "stored"]
    looked = books._what_is_wrong

    def erased_meanwhile(file):
        Attachment.objects.filter(pk=attachment.pk).update(stored="", cleaned="")
        vault.storage.delete(attachment.stored), vault.storage.delete(attachment.cleaned)
        return looked(file)

    monkeypatch.setattr(books, "_what_is_wrong", erased_meanwhile)
    assert found() == []


def test_the_check_asks_no_more_often_for_more_files(rows, django_assert_max_num_queries):
    attachment, _reference = rows[Attachment, "stored"]
    with django_assert_max_num_queries(12):
        assert found() == []
    for version in range(2, 6):
        attachment.pk, attachment.version = None, version
        attachment.stored, attachment.cleaned = kept(b"PDF"), kept(b"ODT")
        attachment.save(force_insert=True)
    with django_assert_max_num_queries(12):
        assert found() == []
