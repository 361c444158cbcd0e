"""What a file is, and which of the modules beside this one deals with it. Room: applications, in the sandbox."""

import sys

import kinds
from limits import No

LATER = (  # pypdf would load them when it meets a text, and then no file can be opened any more
    "pypdf.filters",
    "pypdf._codecs._codecs",
    "pypdf._codecs.core_font_metrics",
    "pypdf._text_extraction",
)
NEEDED = {  # by what is to be done, and how the file begins
    ("inspect", "pdf"): ("pdf_check",),
    ("inspect", "zip"): ("zip_check", "word_check", "odt_check"),
    ("clean", "pdf"): ("pdf_check", "pdf_clean"),
    ("clean", "zip"): ("zip_check", "word_check", "odt_check", "word_clean", "odt_clean"),
    ("count", "pdf"): ("pdf_check", "counting", *LATER),
    ("count", "zip"): ("zip_check", "word_check", "odt_check", "counting"),
    ("text", "zip"): ("zip_check", "word_check", "odt_check", "counting", "reading"),
}


def modules(what, head):
    """The modules to import before a process gives up its rights."""
    begins = "zip" if head.startswith(kinds.ZIP) else "pdf" if b"%PDF-" in head else ""
    return NEEDED.get((what, begins), ())


def inspect(data):
    return kind_of(data), b""


def clean(data):
    kind = kind_of(data)
    content = sys.modules[f"{_family(kind)}_clean"].clean(data)
    if kind_of(content) != kind:  # what we give out passes the door itself
        raise No("unreadable")
    return f"cleaned {kind} {len(content)}", content


def count(data):
    kind = kind_of(data)
    return str(getattr(sys.modules["counting"], f"words_of_{kind}")(data)), b""


def text(data):
    kind = kind_of(data)
    content = getattr(sys.modules["reading"], f"text_of_{kind}")(data).encode()
    return f"text {len(content)}", content


def _family(kind):
    return "word" if kind == "docx" else kind


def kind_of(data):
    """ "pdf", "docx" or "odt". Raises No, or whatever a parser raises on a file that it cannot read."""
    if not data:
        raise No("empty")
    pdf_at = data.find(b"%PDF-", 0, 1024)
    begins = kinds.by_first_bytes(data)
    if begins == "zip":
        return _kind_of_zip(data)
    if pdf_at >= 0:
        if begins or sys.modules["pdf_check"].is_zip(data):  # a file that is two things is made to deceive
            raise No("two_kinds")
        return sys.modules["pdf_check"].inspect(data)
    raise No(begins or "unknown_kind")


def _kind_of_zip(data):
    """The rules for any archive first, then those for documents."""
    entries = sys.modules["zip_check"].entries(data)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" in names:
        return sys.modules["word_check"].inspect(data, entries)
    if "mimetype" in names:
        return sys.modules["odt_check"].inspect(data, entries)
    raise No("pages" if "Index/Document.iwa" in names else "archive")
