"""A Word document written anew, without who wrote it, when and where. The text stays. Room: applications, in the
sandbox.

Of the parts only those come along that a relationship on a list leads to: no properties, people, data behind forms,
printers, templates, previews, signatures, and no fonts, which Word hides behind a key so that nobody can look into one.
Of the fields only those on a list keep their code. Inside the parts it is a list of what programs are known to note
that is left out (elements, attributes), not a list of what is kept.
"""

import posixpath

import fields
import pictures
from addresses import loads
from zip_check import entries
from zip_clean import PATH, WEB, drop, local, parts, serialised, tree, written

TYPES = "[Content_Types].xml"
FOLLOWED = {  # the last word of a relationship's type
    "officedocument", "styles", "styleswitheffects", "settings", "numbering", "fonttable", "theme", "themeoverride",
    "header", "footer", "footnotes", "endnotes", "comments", "image", "chart", "chartstyle", "chartcolorstyle",
    "chartusershapes", "diagramdata", "diagramlayout", "diagramquickstyle", "diagramcolors", "diagramdrawing",
}  # fmt: skip
ELEMENTS = {
    "rsids", "rsid", "docVars", "attachedTemplate", "mailMerge", "writeProtection", "documentProtection", "proofState",
    "proofErr", "activeWritingStyle", "docId", "saveThroughXslt", "attachedSchema", "schemaLibrary", "printerSettings",
    "dataBinding", "permStart", "permEnd", "customXmlPr", "smartTagPr", "presenceInfo", "fldData", "alias", "tag",
    "webVideoPr", "entryMacro", "exitMacro", "embedRegular", "embedBold", "embedItalic", "embedBoldItalic",
    "saveSubsetFonts",
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
    "gfxdata",
    "schemaLocation",
}
NAMED = ("docPr", "cNvPr")  # pictures, known by the name of the file they came from
SAID = ("descr", "title", "alt", "tooltip")  # words about a picture or link: kept unless they are a path
MARKS = ("customXml", "smartTag")  # what a program took a word for


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
            new[name] = pictures.clean(old[name]) if kind == "image" else cleaned(old[name], lost)
    trees = {name: part for name, part in new.items() if not isinstance(part, bytes)}
    names = fields.names_of_bookmarks(trees.values())
    for name, root in trees.items():
        fields.clean(root, names)
        new[name] = serialised(root)
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
    return root, lost, found


def types(content, new):
    """The table of contents, of what is there and nothing else."""
    root = tree(content)
    endings = {name.rpartition(".")[2].lower() for name in new}
    for each in list(root):
        part, ending = each.get("PartName"), each.get("Extension", "").lower()
        if part.lstrip("/") not in new if part else ending not in endings:
            root.remove(each)
    return serialised(root)


def cleaned(content, lost):
    root = tree(content)
    for element in list(root.iter()):
        if local(element.tag) in ELEMENTS and element is not root:
            drop(element)
        else:
            clean_element(element, lost)
    return root


def clean_element(element, lost):
    tag = local(element.tag)
    if tag == "f" and "/chart}" in element.tag and element.text:  # where a chart had its numbers from
        element.text = "Sheet1!" + element.text.rpartition("!")[2]
    for key, value in list(element.attrib.items()):
        name = local(key)
        of_somebody = name.startswith("rsid") or name in IDENTITIES or (name in SAID and PATH.search(value))
        if of_somebody or loads(tag, key, value) or (tag in MARKS and name == "uri"):
            del element.attrib[key]
        elif tag in MARKS and name == "element":
            element.set(key, "e")
        elif name == "author":
            element.set(key, "Author")  # Word wants one
        elif name == "name" and tag in NAMED:
            element.set(key, "")
        elif (tag == "imagedata" and name in ("title", "href", "src")) or (name == "href" and PATH.search(value)):
            del element.attrib[key]
        elif "/relationships}" in key and value in lost:
            unlink(element, key, tag)


def unlink(element, key, tag):
    """Something that is left out was meant here. A link becomes its text; an addition of newer programs goes whole."""
    addition = next(element.iterancestors("{*}ext"), None)
    if tag == "hyperlink" or (tag == "blip" and addition is None):
        del element.attrib[key]
    elif addition is not None and addition.getparent() is not None:
        drop(addition)
    elif element.getparent() is not None:
        drop(element)
