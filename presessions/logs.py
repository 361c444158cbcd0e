"""Logs that carry no token, name or address: paths of personal links are struck out, tracebacks keep no values.

Basement; imports nothing of ours. Python's tracebacks print lines of code, which are ours, and what an error says of
itself, which may quote anything: `int("Amina")` says so, and PostgreSQL quotes the whole row that it refused. Of that
the first line is kept, without what stands in quotes; the line of code above says which value it was.
"""

import ipaddress
import logging
import re
import sys
import threading
import traceback

# A whole one anywhere; and most of one in an address, as is asked for when a mail program has broken the line.
TOKEN = re.compile(r"\b[A-Za-z0-9_-]{40,}\b|(?<=/)[A-Za-z0-9_-]{16,}(?![\w.-])")
ADDRESS = re.compile(r"[^\s<>@\"'(),;:=?&/]+(?:@|%40)[^\s<>@\"'(),;:&]+", re.IGNORECASE)
NUMBERS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){1,6}:[0-9a-f]{1,4})(?!\w|\.\d)",
    re.IGNORECASE,
)
# What somebody quotes, in the manner of Python, of PostgreSQL and of sentences; a quote that never ends goes on.
QUOTED = re.compile(r"""b?"(?:[^"\\]|\\.)*(?:"|$)|(?<!\w)b?'(?:[^'\\]|\\.)*(?:'(?!\w)|$)|“[^”]*(?:”|$)""")
# PostgreSQL's own quotes around names of ours, such as that of the rule which was broken.
NAME = re.compile(
    r'\b(column|constraint|database|encoding|function|index|relation|role|sequence|table|trigger) ("\w+")'
)
# What would begin a line of its own, or move about in a terminal: a line that somebody else has written must not look
# like one of ours.
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ABOUT_CODE = (AttributeError, ImportError, NameError)  # they quote names out of our sources
CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n"


# --- What is struck out -----------------------------------------------------------------------------------------------


def scrub(text):
    """The text without anything that looks like a personal link's token, an e-mail address or where somebody sits."""
    return NUMBERS.sub(_strike_person, ADDRESS.sub("<address>", TOKEN.sub("<token>", text)))


def on_one_line(text):
    """The text with its line breaks and other signs of control spelled out."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _strike_person(found):
    """Machines of our own network may be named: they are nobody."""
    try:
        return "<address>" if ipaddress.ip_address(found[0]).is_global else found[0]
    except ValueError:  # a time of the day
        return found[0]


def without_values(text):
    """The text without what it quotes; names of our tables and rules stay."""
    kept = [(found.start(2), found.end(2)) for found in NAME.finditer(text)]
    return QUOTED.sub(lambda found: found[0] if found.span() in kept else "<value>", text)


def what_it_says(error):
    """An error in one line: its kind, and what it says of itself, without the values that it quotes."""
    try:
        said = str(error).strip()
    except Exception:
        said = "(it cannot say)"
    first = on_one_line(said.splitlines()[0]) if said else ""
    if not isinstance(error, ABOUT_CODE):
        first = without_values(first)
    return f"{type(error).__qualname__}: {first}" if first else type(error).__qualname__


def told(error):
    """How it came to an error, as Python tells it: lines of code, and no value of any name in them."""
    return scrub("\n".join(_told(error, set())))


def _told(error, known):
    known.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in known:
        yield from _told(before, known)
        yield CAUSE if error.__cause__ else CONTEXT
    yield "Traceback (most recent call last):"
    yield from (line.rstrip("\n") for line in traceback.extract_tb(error.__traceback__).format())
    yield what_it_says(error)
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _told(one, known)


# --- Where it is struck out -------------------------------------------------------------------------------------------


class WithoutTokens(logging.Filter):
    """Drops the request and its arguments from a record; what is left is scrubbed."""

    def filter(self, record):
        record.msg, record.args = on_one_line(scrub(self._text(record))), None
        return True

    def _text(self, record):
        if isinstance(record.msg, BaseException):
            record.msg = what_it_says(record.msg)
        arguments = record.args
        if isinstance(arguments, tuple):
            record.args = tuple(map(_quiet, arguments))
        elif isinstance(arguments, dict):
            record.args = {name: _quiet(value) for name, value in arguments.items()}
        try:
            text = record.getMessage()
        except Exception:  # it does not fit its arguments: whoever asked for a line must not fall over it
            text = str(record.msg)
        return without_values(text) if record.exc_info else text  # Celery says the error in its own line, too


def _quiet(value):
    return what_it_says(value) if isinstance(value, BaseException) else value


class LineFormatter(logging.Formatter):
    """One line a record, and under it how it came to an error, without a value."""

    def __init__(self):
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def format(self, record):
        record.exc_text = None  # what another handler may have made of the error
        return super().format(record)

    def formatException(self, exc_info):
        return told(exc_info[1]) if exc_info[1] else ""


# --- What no log handler sees -----------------------------------------------------------------------------------------


def end_of_program(kind, error, trace):
    """For sys.excepthook: a command that falls over tells how, as in a log."""
    if issubclass(kind, KeyboardInterrupt):
        return sys.__excepthook__(kind, error, trace)
    print(told(error), file=sys.stderr)


def end_of_thread(ended):
    """For threading.excepthook."""
    if ended.exc_type is not SystemExit and ended.exc_value is not None:
        print(told(ended.exc_value), file=sys.stderr)


def nobody_heard(lost):
    """For sys.unraisablehook, which would print the object in whose tidying up it happened."""
    if lost.exc_value is not None:
        print(told(lost.exc_value), file=sys.stderr)


def speak_for_python():
    """What Python itself prints of errors is told as in the logs: standard error is kept with them."""
    sys.excepthook, threading.excepthook, sys.unraisablehook = end_of_program, end_of_thread, nobody_heard
