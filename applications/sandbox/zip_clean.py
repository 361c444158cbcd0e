"""What cleaning Word documents and OpenDocument texts has in common. Room: applications, in the sandbox."""

import io
import re
import zipfile
import zlib

from lxml import etree
from zip_check import unpacked

WEB = re.compile(r"\s*(https?://|mailto:|tel:|#)", re.IGNORECASE)
PATH = re.compile(r"([a-z]:[\\/]|\\\\|file:|/(home|users|documents)/|~/)", re.IGNORECASE)  # on somebody's machine
LONG_AGO = (1980, 1, 1, 0, 0, 0)
MOST_PACKED = 50  # to one: what packs better is stored, or our own rules would take it for a bomb


def parts(data, entries):
    """{name: content} of an archive that the door has looked at."""
    return {entry.filename: b"".join(unpacked(data, entry)) for entry in entries if not entry.is_dir()}


def tree(content):
    """One part as XML, without remarks and instructions to programs."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(content, parser)


def serialised(root):
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def local(name):
    return name.rpartition("}")[2]


def drop(element):
    """Take an element out; the text after it stays."""
    parent = element.getparent()
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def written(parts):
    """A new archive of these parts, in this order: all of them of one day, and nothing beside them."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            packs = name != "mimetype" and len(content) < MOST_PACKED * len(zlib.compress(content))
            entry = zipfile.ZipInfo(name, LONG_AGO)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED if packs else zipfile.ZIP_STORED)
    return target.getvalue()
