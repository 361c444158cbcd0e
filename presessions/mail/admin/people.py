"""Who would get a mailing and what they would read, before anything is written. Room: mail; mints and writes nothing.

People are named as their room names them: a mission by its State, an applicant by a reference and never by a name.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.urls import reverse

from presessions.mail import languages, letters, outbox, registry, texts
from presessions.mail.admin import listing
from presessions.mail.letters import Unwritable
from presessions.mail.models import Letter
from presessions.mail.steering import as_spoken

AT_ONCE = 200  # people on one page of the list


@dataclass(frozen=True)
class Audience:
    """Everybody of a mailing's audience as it is today, or why nobody can say."""

    mailing: Any
    everybody: list = field(default_factory=list)
    unwritten: set = field(default_factory=set)
    trouble: str = ""


def of(mailing):
    try:
        everybody = mailing.people()
    except Exception as error:  # the page must open, above all then
        return Audience(mailing, trouble=type(error).__name__)
    unwritten = {(person.kind, str(person.id)) for person in mailing.unwritten(everybody)}
    return Audience(mailing, everybody, unwritten)


def count_of(mailing):
    try:
        return len(mailing.people())
    except Exception:
        return None


def listed(audience, number):
    """One page of the audience: each with the words by which staff know them, their language, and whether they have a
    letter. One question to each kind of recipient."""
    page = Paginator(audience.everybody, AT_ONCE).get_page(number)
    people = list(page.object_list)
    kind = audience.mailing.kind
    named = listing.name_recipients(
        Letter(recipient_kind=person.kind, recipient_id=str(person.id), kind=kind) for person in people
    )
    page.object_list = [
        (letter.recipient_words, languages.spoken(person.language), (person.kind, str(person.id)) in audience.unwritten)
        for letter, person in zip(named, people, strict=True)
    ]
    return page


def languages_of(audience):
    """[(code, name)] for the choice of a test: those that somebody reads first."""
    read = _readers(audience)
    return sorted(settings.MAIL_LANGUAGES, key=lambda language: -read[language[0]])


def _readers(audience):
    return Counter(languages.spoken(person.language) for person in audience.everybody)


@dataclass(frozen=True)
class Shown:
    """The text of a mailing in one language, as the first person who reads it would get it."""

    language: str
    name: str
    readers: int
    subject: str = ""
    body: str = ""
    url: str = ""  # of its HTML, for a frame
    missing: tuple = ()  # English words that have no translation: then English goes
    wrong: str = ""

    @property
    def tag(self):
        return languages.tag(self.language)


def texts_of(mailing, audience):
    """A Shown for each language of our letters, those with readers first. [] when there is nobody to write to."""
    read, shown = _readers(audience), []
    for language, name in sorted(settings.MAIL_LANGUAGES, key=lambda language: -read[language[0]]):
        person = as_spoken(audience.everybody, language)
        if person:
            shown.append(_shown(mailing, person, language, name, read[language]))
    return shown


def _shown(mailing, person, language, name, readers):
    missing = missing_words(mailing, language)
    if missing:
        return Shown(language, name, readers, missing=missing)
    try:
        text = outbox.preview(mailing.kind, person, mailing=mailing)
    except Unwritable as error:
        return Shown(language, name, readers, wrong=str(error))
    url = reverse("admin:mail_mailing_text", args=[mailing.pk, language])
    return Shown(language, name, readers, text.subject, text.body, url)


def missing_words(mailing, language):
    """The words without a translation, unless staff wrote the whole text for this series."""
    if texts.source_for(mailing, language):
        return ()
    return tuple(letters.untranslated(registry.KINDS[mailing.kind].template, language))


def text_in(mailing, language):
    """Subject, text and HTML in one language, personal links struck out; None when there is none."""
    try:
        person = as_spoken(mailing.people(), language)
        return person and outbox.preview(mailing.kind, person, mailing=mailing)
    except Exception:  # the page around the frame names it
        return None
