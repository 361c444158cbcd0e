"""An OpenDocument text written anew, without who wrote it, when and where. The text stays. Room: applications, in the
sandbox.

Kept are the text, its styles, the settings that say how it is laid out, pictures and fonts; everything else in the
archive is about the making of it: properties, previews, versions, tool bars, printers, signatures.
"""

import pictures
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


def clean(data):
    old = parts(data, entries(data))
    new = {"mimetype": old["mimetype"]}
    for name, content in old.items():
        if name in XML:
            new[name] = cleaned(content)
        elif name == "settings.xml":
            new[name] = settings(content)
        elif name.startswith("Pictures/"):
            new[name] = pictures.clean(content)
        elif name.startswith("Fonts/"):
            new[name] = content
    return written({**new, "META-INF/manifest.xml": manifest(new)})


def cleaned(content):
    root = tree(content)
    for element in list(root.iter()):
        tag = local(element.tag)
        parent = element.getparent()
        who = tag in WHO and parent is not None and local(parent.tag) in WHERE
        if who or (tag in ("title", "desc") and PATH.search(element.text or "")):
            drop(element)
        else:
            clean_element(element, tag)
    return serialised(root)


def clean_element(element, tag):
    for key, value in list(element.attrib.items()):
        name = local(key)
        if name in ATTRIBUTES or (name == "name" and tag == "frame"):
            del element.attrib[key]
        elif tag == "a" and name == "href" and not WEB.match(value):
            element.set(key, "#")  # a path on the writer's machine
        elif name in ("name", "title", "target-frame-name") and PATH.search(value):
            element.set(key, "")


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
