"""The program: see `__init__.py` beside it. A file comes by standard input; one line, or a line and a file, go out."""

import importlib
import os
import sys

import door
import limits


def main(what):
    head = sys.stdin.buffer.read(1024)
    for name in door.modules(what, head):  # all that will be needed, and no more, or every upload would wait for it
        importlib.import_module(name)
    limits.give_up_rights(what)
    line, content = "unreadable", b""
    try:
        line, content = getattr(door, what)(head + sys.stdin.buffer.read())
    except limits.No as no:
        line = str(no)
    except Exception:  # noqa: S110 - not even the parser's message: it may quote the file
        pass
    sys.stdout.buffer.write(f"{line}\n".encode() + content)
    sys.stdout.buffer.flush()
    os._exit(0)  # no time for tidying up; a parser in a bad state may hang in it


main(sys.argv[1])
