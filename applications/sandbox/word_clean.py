"""A Word document written anew, without who wrote it, when and where. The text stays. Room: applications, in the
sandbox.

Followed are the relationships that the text needs; a part that none of them leads to does not come along: properties,
people, data behind forms, printers, templates, previews, signatures.
"""

import posixpath
import re

import pictures
from zip_check import entries
from zip_clean import PATH, WEB, drop, local, parts, serialised, tree, written

TYPES = "[Content_Types].xml"
FOLLOWED = {  # the last word of a relationship's type
    "officedocument", "styles", "styleswitheffects", "settings", "numbering", "fonttable", "theme", "themeoverride",
    "header", "footer", "footnotes", "endnotes", "comments", "image", "font", "chart", "chartstyle", "chartcolorstyle",
    "chartusershapes", "diagramdata", "diagramlayout", "diagramquickstyle", "diagramcolors", "diagramdrawing",
}  # fmt: skip
ELEMENTS = {
    "rsids", "rsid", "docVars", "attachedTemplate", "mailMerge", "writeProtection", "documentProtection", "proofState",
    "proofErr", "activeWritingStyle", "docId", "saveThroughXslt", "attachedSchema", "schemaLibrary", "printerSettings",
    "dataBinding", "permStart", "permEnd", "customXmlPr", "smartTagPr", "presenceInfo",
}  # fmt: skip
IDENTITIES = {
    "paraId",
    "textId",
    "anchorId",
    "editId",
    "durableId",
    "userId",
    "providerId",
    "initials",
    "date",
    "dateUtc",
}
NAMED = ("docPr", "cNvPr")  # pictures, known by the name of the file they came from
SAID = ("descr", "title", "alt", "tooltip")  # words about a picture or link: kept unless they are a path
LINK_IN_FIELD = re.compile(r'(HYPERLINK\s+)"(?!https?:|mailto:|tel:|#)[^"]*"', re.IGNORECASE)


def clean(data):
    old, new = parts(data, entries(data)), {}
    waiting = [("", "officedocument")]
    while waiting:
        name, kind = waiting.pop()
        if name in new:
            continue
        lost = set()
        rels = rels_of(name)
        if rels in old:
            new[rels], lost, found = related(old[rels], name, old)
            waiting += found
        if name:
            new[name] = cleaned(old[name], kind, lost)
    return written({TYPES: types(old[TYPES], new), **new})


def rels_of(name):
    folder, _, file = name.rpartition("/")
    return f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"


def related(content, source, old):
    """The relationships of one part that are kept; the ids of those that are not; and where they lead."""
    root, lost, found = tree(content), set(), []
    for each in list(root):
        kind = local(each.get("Type", "").replace("/", "}")).lower()
        target = each.get("Target", "")
        if each.get("TargetMode", "Internal").lower() != "internal":
            kept = kind == "hyperlink" and WEB.match(target)
        elif kind == "hyperlink":
            kept = target.startswith("#")
        else:
            target = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), target)).lstrip("/")
            kept = kind in FOLLOWED and target in old
            if kept:
                found.append((target, kind))
        if not kept:
            lost.add(each.get("Id"))
            root.remove(each)
    return serialised(root), lost, found


def types(content, new):
    """The table of contents, of what is there and nothing else."""
    root = tree(content)
    endings = {name.rpartition(".")[2].lower() for name in new}
    for each in list(root):
        part, ending = each.get("PartName"), each.get("Extension", "").lower()
        if part.lstrip("/") not in new if part else ending not in endings:
            root.remove(each)
    return serialised(root)


def cleaned(content, kind, lost):
    if kind == "image":
        return pictures.clean(content)
    if kind == "font":
        return content
    root = tree(content)
    for element in list(root.iter()):
        if local(element.tag) in ELEMENTS and element is not root:
            drop(element)
        else:
            clean_element(element, lost)
    return serialised(root)


def clean_element(element, lost):
    tag = local(element.tag)
    for key, value in list(element.attrib.items()):
        name = local(key)
        if name.startswith("rsid") or name in IDENTITIES or (name in SAID and PATH.search(value)):
            del element.attrib[key]
        elif name == "author":
            element.set(key, "Author")  # Word wants one
        elif name == "name" and tag in NAMED:
            element.set(key, "")
        elif (tag == "imagedata" and name in ("title", "href", "src")) or (name == "href" and PATH.search(value)):
            del element.attrib[key]
        elif name == "instr":
            element.set(key, LINK_IN_FIELD.sub(r'\1"#"', value))
        elif "/relationships}" in key and value in lost:
            unlink(element, key, tag)
    if tag in ("instrText", "delInstrText") and element.text:
        element.text = LINK_IN_FIELD.sub(r'\1"#"', element.text)


def unlink(element, key, tag):
    """Something that is left out was meant here. A link becomes its text; an addition of newer programs goes whole."""
    addition = next(element.iterancestors("{*}ext"), None)
    if tag == "hyperlink" or (tag == "blip" and addition is None):
        del element.attrib[key]
    elif addition is not None and addition.getparent() is not None:
        drop(addition)
    elif element.getparent() is not None:
        drop(element)
