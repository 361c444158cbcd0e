"""An OpenDocument text written anew, without who wrote it, when and where. The text stays. Room: applications, in the
sandbox.

Kept are the text, its styles, the settings that say how it is laid out, pictures and fonts; everything else in the
archive is about the making of it: properties, previews, versions, tool bars, printers, signatures. Inside the text
it is a list of what programs are known to note that is left out, and names that people give to things become numbers.
Names of styles stay: everything in the text refers to them.
"""

import re
from urllib.parse import unquote

import pictures
from addresses import FONTS, loads
from lxml import etree
from zip_check import entries
from zip_clean import PATH, WEB, drop, local, parts, serialised, tree, written

MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
KIND = "application/vnd.oasis.opendocument.text"
XML = ("content.xml", "styles.xml")
WHO = {"creator", "date", "creator-initials", "sender-initials", "resolved-by"}  # of remarks and changes
WHERE = ("annotation", "change-info", "change")
ATTRIBUTES = {"rsid", "paragraph-rsid", "chg-author", "chg-date-time", "author", "creator", "creator-initials"}
SETTINGS = {"boolean", "short", "int", "long"}  # kinds of settings about layout; texts name printers, data, people
PERSONAL = ("rsid", "printer", "view", "zoom", "cursor", "visible")


OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
DRAWING = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
FORM = "{urn:oasis:names:tc:opendocument:xmlns:form:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
DROPPED = {OFFICE + "meta", OFFICE + "settings", OFFICE + "scripts", FORM + "properties", TEXT + "hidden-text"}
LEFT_OUT = {  # attributes
    "display-name", "description", "datasource", "command", "protection-key", "database-name", "table-name",
    "column-name", "tag", "transformation",
}  # fmt: skip
DEFINED = {
    "gradient",
    "hatch",
    "fill-image",
    "marker",
    "stroke-dash",
    "opacity",
    "layer",
}  # looks, known by their names
NAMED = {  # elements with a name that people choose, and those that refer to one
    "bookmark", "bookmark-start", "bookmark-end", "bookmark-ref", "reference-mark", "reference-mark-start",
    "reference-mark-end", "reference-ref", "section", "table-of-content", "illustration-index", "table-index",
    "object-index", "user-index", "alphabetical-index", "bibliography", "index-title", "user-field-decl",
    "user-field-get", "user-field-input", "user-defined", "table",
}  # fmt: skip
BY_PROGRAMS = re.compile(
    r"(_Toc|_Ref|_Hlk|_GoBack|__RefHeading_|__RefNumPara_|__UnoMark_|__Fieldmark_)[_\d]*(Toc[_\d]*)?$"
)


class Names(dict):
    """What people have called something, and the number that it gets instead."""

    def __missing__(self, name):
        self[name] = name if BY_PROGRAMS.match(name) else f"n{len(self) + 1}"
        return self[name]


def clean(data):
    old = parts(data, entries(data))
    new, names = {"mimetype": old["mimetype"]}, Names()
    for name, content in old.items():
        if name in XML:
            new[name] = cleaned(content, names)
        elif name == "settings.xml":
            new[name] = settings(content)
        elif name.startswith("Pictures/"):
            new[name] = pictures.clean(content)
        elif name.startswith("Fonts/") and content.startswith(FONTS):
            new[name] = content
    return written({**new, "META-INF/manifest.xml": manifest(new)})


def cleaned(content, names):
    root = tree(content)
    shown = {each.get(TEXT + "name") for each in root.iter("{*}user-field-get", "{*}user-field-input")}
    chained = {value for box in root.iter("{*}text-box") for key, value in box.items() if local(key) == CHAIN}
    for element in list(root.iter()):
        tag = local(element.tag)
        parent = element.getparent()
        who = tag in WHO and parent is not None and local(parent.tag) in WHERE
        unseen = tag == "user-field-decl" and element.get(TEXT + "name") not in shown
        path = tag in ("title", "desc") and PATH.search(element.text or "")
        if who or unseen or path or element.tag in DROPPED:
            drop(element)
        else:
            clean_element(element, tag, names, chained)
    return serialised(root)


CHAIN = "chain-next-name"  # the box in which a text goes on


def clean_element(element, tag, names, chained):
    for key, value in list(element.attrib.items()):
        name = local(key)
        left_out = name in ATTRIBUTES or name in LEFT_OUT or "/xhtml}" in key
        of_shape = key == DRAWING + "name" and tag not in DEFINED
        if left_out or (of_shape and value not in chained) or loads(tag, key, value):
            del element.attrib[key]
        elif name == CHAIN or of_shape:
            element.set(key, names[value])
        elif tag == "a" and name == "href":
            element.set(key, address(value, names))
        elif (tag in NAMED and name in ("name", "ref-name")) or key == FORM + "name":
            element.set(key, names[value])
        elif name in ("name", "title", "target-frame-name") and PATH.search(value):
            element.set(key, "")


def address(value, names):
    """Where a link leads: to the web, or to a place in this text, by its new name. Or nowhere."""
    if not WEB.match(value):
        return "#"  # a path on the writer's machine
    if not value.startswith("#"):
        return value
    place, _, kind = unquote(value[1:]).partition("|")
    if kind == "outline":  # the words of a heading
        return value
    return f"#{names[place]}|{kind}" if kind else f"#{names[place]}" if place else "#"


def settings(content):
    """How the text is laid out, in yes, no and numbers."""
    root = tree(content)
    for item in list(root.iter("{*}config-item")):
        kind = next((value for key, value in item.attrib.items() if local(key) == "type"), "")
        name = next((value for key, value in item.attrib.items() if local(key) == "name"), "").lower()
        if kind not in SETTINGS or any(word in name for word in PERSONAL):
            drop(item)
    for views in list(root.iter("{*}config-item-map-indexed", "{*}config-item-map-named")):
        if views.getparent() is not None:
            drop(views)
    return serialised(root)


def manifest(new):
    root = etree.Element(f"{{{MANIFEST}}}manifest", nsmap={"manifest": MANIFEST})
    root.set(f"{{{MANIFEST}}}version", "1.2")
    for name in ("/", *(name for name in new if name != "mimetype")):
        entry = etree.SubElement(root, f"{{{MANIFEST}}}file-entry")
        entry.set(f"{{{MANIFEST}}}full-path", name)
        kind = KIND if name == "/" else "text/xml" if name.endswith(".xml") else ""
        entry.set(f"{{{MANIFEST}}}media-type", kind)
    return serialised(root)
