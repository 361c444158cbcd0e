"""Texts that staff wrote for one series in the place of the usual ones. Room: mail; imports its letters and models.

`source_for` says whether there is such a text; `render` turns it into what a person reads. What staff may write is
checked by `checks` when it is saved; here it is only read.
"""

from dataclasses import dataclass

from django.utils import translation

from presessions.mail import letters, text_language
from presessions.mail.models import SeriesText


@dataclass(frozen=True)
class Source:
    """Subject and body of a mail as a template, in one language."""

    subject: str
    body: str


def source_for(kind, series, language):
    """What staff wrote for mails of this kind in this series and language, or None: the usual text goes."""
    if series is None:
        return None
    found = SeriesText.objects.filter(series=series, kind=kind, language=language)
    row = found.values_list("subject", "body").first()
    return row and Source(*row)


def render(source, context, language):
    """What a person reads, in one language; as letters.render does for the usual text. Raises Unwritable."""
    with translation.override(language):
        try:
            subject = text_language.rendered(source.subject, context)
            body = text_language.rendered(source.body, context)
        except letters.Unwritable:
            raise
        except Exception as error:  # whatever a room's method does must harm this letter only
            raise letters.Unwritable("render", type(error).__name__) from error
    return letters.text_of(subject, body)
