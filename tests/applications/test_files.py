"""How the door looks into files, what it says when it refuses one, and how files are handed out. Which files it lets
in, and which not: tests/promises/test_a5_hostile_files_stop_at_the_door.py."""

import logging
import sys
import time
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.utils import translation

from applications import files, sandbox
from applications.refusals import REFUSALS
from presessions import vault
from tests.applications import hostile


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


def upload(content, name="submission.pdf"):
    incoming = vault.EncryptedUpload.create(name)
    incoming.write(content)
    incoming.finish()
    return incoming


@pytest.mark.parametrize(("size", "word"), [(0, "empty"), (10_000_001, "too_large")])
def test_size_is_asked_before_anything_is_opened(settings, monkeypatch, size, word):
    settings.UPLOAD_LIMIT = 10_000_000
    monkeypatch.setattr(files, "inspect", lambda *_: pytest.fail("opened"))
    with pytest.raises(files.Refused, match=str(REFUSALS[word][0])):
        files.check(SimpleNamespace(size=size, name="a.pdf"))


def test_every_refusal_says_what_to_do():
    for word, sentences in REFUSALS.items():
        assert len(sentences) >= 2, word
        assert all(str(sentence).strip().endswith(".") for sentence in sentences), word


def test_a_refusal_speaks_the_language_of_the_page():
    with translation.override("fr"):
        assert str(files.refusal("image")) == " ".join(str(sentence) for sentence in REFUSALS["image"])


INSPECTORS = {
    "crashes": "import os; os.abort()",
    "hangs": "import time; time.sleep(60)",
    "hangs before it has read anything": "import time; time.sleep(60)",
    "fills the memory": "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29)); b'a' * 2**30",
    "says something else": "import sys; sys.stdin.buffer.read(); sys.stdout.write('the minister')",
    "says nothing": "pass",
}


@pytest.mark.parametrize("what", INSPECTORS)
def test_an_inspector_that_fails_is_a_refusal_in_words(tmp_path, monkeypatch, what):
    script = tmp_path / "inspector.py"
    script.write_text(INSPECTORS[what])
    monkeypatch.setattr(sandbox, "PROGRAM", script)
    hangs = what.startswith("hangs")
    monkeypatch.setattr(sandbox, "SECONDS", 1 if hangs else 20)
    started = time.monotonic()
    with upload(b"%PDF-" + bytes(500_000)) as incoming, pytest.raises(files.Refused) as refused:
        files.check(incoming)
    assert str(refused.value) == str(files.refusal("busy" if hangs else "unreadable"))
    assert time.monotonic() - started < 10


def test_the_inspector_gets_nothing_of_ours_and_can_open_nothing(tmp_path, monkeypatch):
    """What a file that has taken over the parser could do: run the inspector's own renunciation, then try."""
    script = tmp_path / "inspector.py"
    script.write_text(
        f"""
import os, socket, sys
sys.path.insert(0, {str(sandbox.PROGRAM)!r})
import limits
sys.stdin.buffer.read()
limits.give_up_rights("inspect")
os.close(0)  # and there would be room for another one
found = sorted(os.environ.keys() - {{"LC_CTYPE"}})
attempts = [socket.socket, lambda: open("/etc/passwd"), lambda: open("/tmp/x", "w"), lambda: bytes(2**30)]
for attempt in (*attempts, lambda: open(f"/proc/{{os.getppid()}}/environ")):
    try:
        attempt()
        found.append("open")
    except (OSError, MemoryError):
        pass
sys.stdout.write(",".join(map(str, found)) or "pdf")
"""
    )
    monkeypatch.setattr(sandbox, "PROGRAM", script)
    with upload(b"%PDF-") as incoming:
        assert files.inspect(incoming) == "pdf"


def test_nothing_of_the_content_reaches_a_log_or_the_refusal(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    secret = b"The minister of interior"
    for content in (b"%PDF-1.7\n" + secret * 50, hostile.docx(body=f"<w:p>{secret.decode()}"), secret):
        with upload(content, f"{secret.decode()}.pdf") as incoming, pytest.raises(files.Refused) as refused:
            files.check(incoming)
        assert "minister" not in f"{refused.value!r}{refused.value.__cause__!r}{refused.value.__context__!r}"
    assert "minister" not in caplog.text + "".join(capfd.readouterr())


def test_too_many_at_once_is_said_and_not_a_crash(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.01)
    taken = [files.AT_ONCE.acquire() for _ in range(4)]
    try:
        with upload(hostile.pdf()) as incoming, pytest.raises(files.Refused, match="Many files"):
            files.check(incoming)
    finally:
        for _ in taken:
            files.AT_ONCE.release()


def test_a_small_file_is_looked_into_quickly():
    """The process must not import what this kind of file does not need."""
    seconds = []
    for _ in range(3):
        with upload(hostile.docx(), "submission.docx") as incoming:
            started = time.perf_counter()
            files.check(incoming)
            seconds.append(time.perf_counter() - started)
    assert min(seconds) < 2
    assert "pikepdf" not in sys.modules or "pikepdf" not in vars(files)


# --- Handing out ----------------------------------------------------------------------------------------------------


def attachment(content, content_type="pdf", original=b"as it came"):
    return SimpleNamespace(
        stored=vault.storage.save("submission", ContentFile(original)),
        size=len(original),
        cleaned=vault.storage.save("submission", ContentFile(content)),
        cleaned_size=len(content),
        content_type=content_type,
        kind="upr_submission",
        version=1,
        application=SimpleNamespace(reference="K7QF2-9MXA4"),
    )


def test_a_pdf_shows_inside_our_own_pages_and_nowhere_else():
    response = files.stream(attachment(hostile.pdf()), inline=True)
    assert response["Content-Disposition"] == 'inline; filename="K7QF2-9MXA4-submission-1.pdf"'
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]


def test_a_download_can_do_nothing():
    response = files.stream(attachment(hostile.pdf()), inline=False)
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Frame-Options"] == "DENY"


def test_word_is_never_shown_inline():
    response = files.stream(attachment(hostile.docx(), "docx"), inline=True)
    assert response["Content-Disposition"] == 'attachment; filename="K7QF2-9MXA4-submission-1.docx"'
    assert response["Content-Security-Policy"].startswith("sandbox")


def test_the_applicant_gets_back_what_was_received_byte_for_byte():
    response = files.stream_original(attachment(hostile.pdf()))
    assert b"".join(response.streaming_content) == b"as it came"
    assert (response["Content-Length"], response["Content-Security-Policy"]) == ("10", "sandbox; default-src 'none'")
    assert response["Content-Disposition"] == 'attachment; filename="K7QF2-9MXA4-submission-1.pdf"'


@pytest.mark.parametrize("inline", [True, False])
def test_what_comes_out_is_what_went_in_and_stays_nowhere(inline):
    content = hostile.pdf(pages=300)
    response = files.stream(attachment(content), inline=inline)
    pieces = list(response.streaming_content)
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= vault.CHUNK_BYTES
    assert (response["Content-Length"], response["Cache-Control"]) == (str(len(content)), "private, no-store")
    assert response["X-Content-Type-Options"] == "nosniff"
