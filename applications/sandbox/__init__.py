"""Looking into files and rewriting them, in processes of their own. Room: applications.

No file of an applicant is parsed by a web server or a worker. `run` starts this folder as a program, isolated, with an
empty environment; the file goes in by its standard input. Before it parses a byte the program gives up what a parser
taken over by a hostile file would want (`limits`): memory beyond 512 MB, more than 20 seconds of work (60 to clean),
and any new file or socket. One line comes out; after it, when a file was cleaned, its bytes. The modules beside this
one are that program: they import one another by their bare names, and nothing of ours or of Django.

    inspect   pdf, docx or odt, or the word that says why it is refused
    clean     "cleaned pdf 12345" and then so many bytes, or such a word
    count     the number of words in the text, or nothing where nobody can tell
    text      "text 12345" and then so many bytes: the text alone, of a docx or odt; see `reading`
"""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

PROGRAM = Path(__file__).parent
SECONDS = 20  # for one file, by the clock on the wall: somebody waits at the door
SECONDS_TO_CLEAN = 120  # nobody waits for that
LONGEST_LINE = 40
MOST_BYTES = {  # that come out
    "cleaned": 64 * 1024 * 1024,  # pictures may be packed worse than before, and nobody is that large
    "text": 8 * 1024 * 1024,
}
PIECE = 64 * 1024


def run(what, file, copy=None):
    """The program's line about a file; "" when it crashed or had more than its share. "busy" when only the clock on the
    wall stopped it: then so much else went on here, and the file is not to blame. The cleaned bytes, or those of the
    text, are written to `copy`."""
    late = threading.Event()
    # A broken pipe: it has died, or had seen enough of us.
    with suppress(BrokenPipeError), start(what) as process:
        stop = threading.Timer(SECONDS_TO_CLEAN if what == "clean" else SECONDS, _stop, (process, late))
        stop.start()
        try:
            for chunk in file.chunks():
                process.stdin.write(chunk)
            process.stdin.close()
            line = _answer(process.stdout, copy)
            return line or ("busy" if late.is_set() else "")
        finally:
            stop.cancel()
            process.kill()
    return "busy" if late.is_set() else ""


def _stop(process, late):
    late.set()
    process.kill()


def start(what):
    """A process that waits for a file. It needs no secret of ours, so its environment has none."""
    return subprocess.Popen(  # noqa: S603 - our own program, and no argument from outside
        [sys.executable, "-I", "-B", PROGRAM, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
    )


def _answer(output, copy):
    line = output.readline(LONGEST_LINE).decode("ascii", errors="replace").strip()
    most = MOST_BYTES.get(line.partition(" ")[0])
    if copy is None or most is None:
        return line
    line, _, size = line.rpartition(" ")
    left = int(size) if size.isdecimal() and int(size) <= most else 0
    while left and (piece := output.read(min(PIECE, left))):
        copy.write(piece)
        left -= len(piece)
    return "" if left or not copy.written else line
