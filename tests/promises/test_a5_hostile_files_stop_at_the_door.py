"""A5. Hostile files stop at the door: a table of files, each with the verdict that it must get, before any human can
open it. Nobody who looks into one takes more than 512 MB or 20 seconds. What only a virus scanner can know is named by
the scanner, and then stops in quarantine.
"""

import resource
import time

import pytest

from applications import cleaning, files, sandbox
from applications.models import Attachment
from presessions import vault
from tests.applications import hostile, program
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.scanner_stub import EICAR, Scanner
from tests.promises.hostile_files import SAMPLES

MEGABYTES_512 = 512 * 1024  # as getrusage counts


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


def upload(content, name="submission.pdf"):
    incoming = vault.EncryptedUpload.create(name)
    incoming.write(content)
    incoming.finish()
    return incoming


def test_there_are_enough_ways_to_be_hostile():
    assert len([word for *_, word in SAMPLES if word not in files.CONTENT_TYPES]) >= 60
    assert len({what for what, *_ in SAMPLES}) == len(SAMPLES)


@pytest.fixture
def looks_here(monkeypatch):
    """The program in this process, for what only has to be recognised: nobody waits for 100 processes to start."""
    door = program.load()

    def run(what, upload):
        try:
            return door.inspect(upload.read())[0]
        except door.No as no:
            return str(no)

    monkeypatch.setattr(sandbox, "run", run)


def by_danger(samples):
    """(what passes and what hurts those who parse it, in a process as the product does it; the others, in this one)"""
    hurts = ("bomb", "unreadable", *files.CONTENT_TYPES)
    params = [(rest[-1] in hurts, pytest.param(*rest, id=what)) for what, *rest in samples]
    return [param for hurts, param in params if hurts], [param for hurts, param in params if not hurts]


THROUGH, RECOGNISED = by_danger(SAMPLES)


@pytest.mark.parametrize(("name", "make", "word"), THROUGH)
def test_every_file_gets_its_verdict_by_the_process_that_looks_into_it(name, make, word):
    started = time.monotonic()
    judge(name, make, word)
    assert time.monotonic() - started < sandbox.SECONDS


@pytest.mark.parametrize(("name", "make", "word"), RECOGNISED)
@pytest.mark.usefixtures("looks_here")
def test_every_file_gets_its_verdict(name, make, word):
    judge(name, make, word)


def judge(name, make, word):
    with upload(make(), name) as incoming:
        if word in files.CONTENT_TYPES:
            assert files.check(incoming) == files.Verdict(content_type=word, name=name)
        else:
            with pytest.raises(files.Refused) as refused:
                files.check(incoming)
            assert refused.value.word == word
            assert str(refused.value) == str(files.refusal(word))


@pytest.mark.parametrize("word", sorted({word for *_, word in SAMPLES} - {"wrong_name"}))
def test_each_verdict_comes_out_of_a_real_process(word):
    make = next(make for *_, make, found in SAMPLES if found == word)
    with upload(make()) as incoming:
        assert sandbox.run("inspect", incoming) == word or word == "empty"


# --- The limits, by files that try ----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["inspect", "clean", "count"])
def test_a_file_that_fills_the_memory_gets_no_more_than_512_megabytes(what):
    with upload(hostile.pdf_bomb()) as incoming:
        assert sandbox.run(what, incoming) == "unreadable"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= MEGABYTES_512


@pytest.mark.parametrize("what", ["inspect", "clean"])
def test_a_file_that_takes_too_long_is_stopped_by_the_clock(monkeypatch, what):
    monkeypatch.setattr(sandbox, "SECONDS", 0.05)
    monkeypatch.setattr(sandbox, "SECONDS_TO_CLEAN", 0.05)
    with upload(hostile.pdf_bomb()) as incoming:
        started = time.monotonic()
        assert sandbox.run(what, incoming) == "busy"  # and no word against the file
    assert time.monotonic() - started < 5


def test_the_limits_are_those_that_we_promise(tmp_path, monkeypatch):
    script = tmp_path / "program.py"
    script.write_text(
        f"""
import resource, sys
sys.path.insert(0, {str(sandbox.PROGRAM)!r})
import limits
sys.stdin.buffer.read()
limits.give_up_rights(sys.argv[1])
kinds = ("AS", "CPU", "NOFILE", "NPROC", "FSIZE", "CORE")
print(*(resource.getrlimit(getattr(resource, "RLIMIT_" + kind))[1] for kind in kinds))
"""
    )
    monkeypatch.setattr(sandbox, "PROGRAM", script)
    with upload(b"%PDF-") as incoming:
        door, clean = (sandbox.run(what, incoming).split() for what in ("inspect", "clean"))
    assert clean == [str(512 * 1024 * 1024), "60", "0", "0", "0", "0"]
    assert door == [str(448 * 1024 * 1024), "20", "0", "0", "0", "0"]  # less: what is let in can be cleaned
    assert sandbox.SECONDS == 20


# --- What only a scanner knows --------------------------------------------------------------------------------------


def eicar_in_a_stream(document):
    document.Root.X = document.make_stream(EICAR)


INFECTED = {
    "EICAR in a PDF": ("pdf", lambda: hostile.pdf(eicar_in_a_stream, compress_streams=False)),
    "EICAR in a Word document": ("docx", lambda: hostile.docx(parts=[("word/media/image1.png", EICAR)])),
    "EICAR in an OpenDocument text": ("odt", lambda: hostile.odt(parts=[("Pictures/1.png", EICAR)])),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", INFECTED)
def test_what_the_scanner_names_stops_in_quarantine(settings, what):
    kind, make = INFECTED[what]
    application = ApplicationFactory(complete=False)
    with Scanner() as scanner, upload(make(), f"submission.{kind}") as incoming:
        settings.CLAMAV_URL = scanner.url
        verdict = files.check(incoming)  # the door has nothing against it
        application.attach(incoming, Attachment.Kind.UPR_SUBMISSION, verdict, now=MONDAY)
        assert cleaning.look_through(MONDAY) == {"refused": 1}
    file = Attachment.objects.get()
    assert (file.refused_because, file.cleaned) == ("malware", "")
    assert "virus scanner" in str(file.refusal[0])
