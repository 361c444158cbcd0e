"""Names that applicants' devices give to files (promise A8): shown on a page, harmless everywhere."""

import unicodedata

import pytest

from applications.files import DEVICES, NAME_LENGTH, clean_name, ending

NAMES = {
    "submission.pdf": "submission.pdf",
    "Soumission finale (2).pdf": "Soumission finale (2).pdf",
    "مساهمة.pdf": "مساهمة.pdf",
    "Представление.docx": "Представление.docx",
    "提交的文件.docx": "提交的文件.docx",
    "ສະເໜີ.pdf": "ສະເໜີ.pdf",
    "e\u0301tude.pdf": "étude.pdf",
    "report 📄.pdf": "report 📄.pdf",
    "O'Neill & Sons <b>.pdf": "O'Neill & Sons <b>.pdf",  # pages escape it
    "a{{ settings.SECRET_KEY }}.pdf": "a{{ settings.SECRET_KEY }}.pdf",
    "=cmd|' -C calc'!A0.pdf": "=cmd|' -C calc'!A0.pdf",
    # where it would go
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system32\\x.pdf": "x.pdf",
    "/etc/cron.d/x.pdf": "x.pdf",
    "C:\\Users\\Somebody\\Desktop\\x.pdf": "x.pdf",
    "\\\\server\\share\\x.pdf": "x.pdf",
    "C:/fakepath/x.pdf": "x.pdf",
    "folder/": "document",
    "..": "document",
    ".": "document",
    "...": "document",
    ".pdf": "pdf",
    ".htaccess": "htaccess",
    # nothing, or nothing visible
    "": "document",
    "   ": "document",
    "\u200b\u200d.pdf": "pdf",
    "\t\n.pdf": "pdf",
    # what cannot be seen
    "a\0b.pdf": "ab.pdf",
    "submission.pdf\0.exe": "submission.pdf.exe",
    "a\r\nSet-Cookie: b=c.pdf": "aSet-Cookie: b=c.pdf",
    "a\x1b[31mred.pdf": "a[31mred.pdf",
    "a\x7f.pdf": "a.pdf",
    "invoice\u202efdp.exe": "invoicefdp.exe",
    "\u2066invoice\u2069.pdf": "invoice.pdf",
    "a\u200fb\u200e.pdf": "ab.pdf",
    "\ufeffa.pdf": "a.pdf",
    "a\u2028b\u2029c.pdf": "a b c.pdf",
    "a\ud800b.pdf": "ab.pdf",
    "a\ue000b.pdf": "ab.pdf",
    "a\u00adb.pdf": "ab.pdf",
    # what Windows would make of it
    "con.pdf": "_con.pdf",
    "NUL": "_NUL",
    "aux.tar.pdf": "_aux.tar.pdf",
    "COM1.docx": "_COM1.docx",
    "lpt¹.pdf": "_lpt¹.pdf",
    "console.pdf": "console.pdf",
    "a.pdf.": "a.pdf",
    "a.pdf ": "a.pdf",
    "a.pdf. . .": "a.pdf",
    "a   b.pdf": "a b.pdf",
    "a\u00a0b.pdf": "a b.pdf",
    # how long
    "a" * 300 + ".pdf": "a" * 96 + ".pdf",
    "ä" * 300 + ".docx": "ä" * 95 + ".docx",
    "a." + "b" * 300: "a." + "b" * 10,
    "a.pdf.exe": "a.pdf.exe",
    "a.PDF": "a.PDF",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_becomes_harmless(name):
    assert clean_name(name) == NAMES[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_clean_name_keeps_every_promise(name):
    clean = clean_name(name)
    assert clean_name(clean) == clean
    assert 0 < len(clean) <= NAME_LENGTH
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for sign in clean)
    assert not set("/\\\0\r\n") & set(clean)
    assert clean.split(".")[0].lower() not in DEVICES
    assert clean == clean.strip(". ")
    clean.encode()


def test_there_are_enough_names():
    assert len(NAMES) >= 40


@pytest.mark.parametrize(
    ("name", "says"), [("a.pdf", "pdf"), ("a.PDF", "pdf"), ("a", ""), ("a.pdf.exe", "exe"), ("a.docm", "docm")]
)
def test_the_ending_is_what_windows_would_go_by(name, says):
    assert ending(name) == says
