"""The codes of Word's fields and the names of its bookmarks. Room: applications, in the sandbox.

What a field shows stands in the text and stays. Its code is kept where the field lays out or refers; of any other
(libraries of literature, properties of the file, letters to many) nothing is left but its first word. Bookmarks are
named by people: they get numbers, and so does whatever refers to them.
"""

import re

from zip_clean import local

KEPT = {
    "PAGE", "NUMPAGES", "SECTION", "SECTIONPAGES", "PAGEREF", "NOTEREF", "REF", "STYLEREF", "SEQ", "TOC", "TC", "TOA",
    "TA", "XE", "INDEX", "HYPERLINK", "EQ", "SYMBOL", "LISTNUM", "AUTONUM", "AUTONUMLGL", "AUTONUMOUT", "ADVANCE",
    "SHAPE", "FORMTEXT", "FORMCHECKBOX", "FORMDROPDOWN", "MACROBUTTON", "DATE", "TIME",
}  # fmt: skip
LINK = re.compile(r'(HYPERLINK\s+)"(?!https?:|mailto:|tel:|#)[^"]*"', re.IGNORECASE)
FIRST = re.compile(r'[\s"]*([A-Za-z]\w*|=)')
BY_PROGRAMS = re.compile(r"_(Toc|Ref|Hlk|Hlt|GoBack|Hlt|Int_)\w{0,12}$")
REFERS = {  # the kind of field: where in its code the name of a bookmark stands
    "REF": r'(\bREF\s+"?)(\w+)',
    "PAGEREF": r'(\bPAGEREF\s+"?)(\w+)',
    "NOTEREF": r'(\bNOTEREF\s+"?)(\w+)',
    "SEQ": r'(\bSEQ\s+\w+\s+"?)(\w+)',
    "XE": r'(\\r\s+"?)(\w+)',
    **dict.fromkeys(("TOC", "TOA", "INDEX"), r'(\\b\s+"?)(\w+)'),
}
UNKNOWN = "b0"


def names_of_bookmarks(roots):
    """{name in small letters: its new name}, for the whole document."""
    found = {}
    for root in roots:
        for start in root.iter("{*}bookmarkStart"):
            for key, name in start.attrib.items():
                if local(key) == "name" and name.lower() not in found:
                    found[name.lower()] = name if BY_PROGRAMS.match(name) else f"b{len(found) + 1}"
    return found


def clean(root, names):
    """All codes of fields, all bookmarks, and all that refers to them in one part."""
    open_ones = []
    for element in root.iter("{*}fldChar", "{*}instrText", "{*}delInstrText", "{*}fldSimple"):
        tag = local(element.tag)
        if tag == "fldSimple":
            for key, value in element.attrib.items():
                if local(key) == "instr":
                    element.set(key, code(value, names))
        elif tag != "fldChar":
            if open_ones:
                open_ones[-1].append(element)
            else:
                element.text = ""  # of no field
        elif "begin" in element.attrib.values():
            open_ones.append([])
        elif open_ones:
            write(open_ones[-1], names)
            if "end" in element.attrib.values():
                open_ones.pop()
    for pieces in open_ones:
        write(pieces, names)
    rename(root, names)


def write(pieces, names):
    """A code may be cut into pieces anywhere. Where it stays as it was, so do they."""
    old = "".join(piece.text or "" for piece in pieces)
    new = code(old, names)
    if new != old:
        for number, piece in enumerate(pieces):
            piece.text = "" if number else new
    pieces.clear()


def code(old, names):
    first = FIRST.match(old)
    if not first:
        return ""
    word = first[1].upper()
    if word.lower() in names and word not in KEPT:  # a bookmark's name alone refers to it
        return f" REF {names[word.lower()]} "
    if word == "=":
        return re.sub(r"[A-Za-z]\w*", lambda found: names.get(found[0].lower(), found[0]), old)
    if word not in KEPT:
        return f" {first[1]} "
    if word == "HYPERLINK":
        old = LINK.sub(r'\1"#"', old)
        known = (
            None if re.search(r'HYPERLINK\s+"', old, re.IGNORECASE) else UNKNOWN
        )  # else a place on a page of the web
        return re.sub(r'(\\l\s+"?)([^"\s]+)', lambda found: found[1] + new_name(found[2], names, known), old)
    if word in REFERS:
        return re.sub(
            REFERS[word], lambda found: found[1] + new_name(found[2], names, UNKNOWN), old, flags=re.IGNORECASE
        )
    return old


def new_name(name, names, unknown):
    return names.get(name.lower()) or (name if BY_PROGRAMS.match(name) or unknown is None else unknown)


def rename(root, names):
    for element in root.iter("{*}bookmarkStart", "{*}hyperlink", "{*}name", "{*}Relationship"):
        tag, facts = local(element.tag), element.attrib
        for key, value in list(facts.items()):
            name = local(key)
            if tag == "bookmarkStart" and name == "name":
                element.set(key, names[value.lower()])
            elif tag == "hyperlink" and name == "anchor":
                to_the_web = any("/relationships}" in other for other in facts)
                element.set(key, new_name(value, names, None if to_the_web else UNKNOWN))
            elif tag == "name" and name == "val" and local(element.getparent().tag) == "ffData":
                element.set(key, names.get(value.lower(), ""))
            elif tag == "Relationship" and name == "Target" and value.startswith("#"):
                element.set(key, "#" + new_name(value[1:], names, UNKNOWN))
