"""Texts that staff wrote for one series in the place of the usual ones. Room: mail; imports its letters and models.

`source_for` says whether there is such a text; `render` turns it into what a person reads; `save` and `forget` are
steps of staff. What a text must be before it is saved stands in `text_checks`.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from presessions import trail
from presessions.mail import languages, letters, registry, text_language
from presessions.mail.models import Mailing, SeriesText
from presessions.trail.steps import WrongStep


@dataclass(frozen=True)
class Source:
    """Subject and body of a mail as a template, in one language."""

    subject: str
    body: str


def source_for(mailing, language):
    """What staff wrote for mails of this kind in its series and language, or None: the usual text goes."""
    own = mailing.own_texts.get(language)
    return own and Source(*own)


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


# --- What goes to whom ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """Which text goes in one language: "own" of the series, "usual", or "english" where words are not translated."""

    language: str
    name: str
    which: str
    untranslated: tuple[str, ...] = ()


def standings(kind, series):
    """The Standing of each language of our letters. One query."""
    own = set(SeriesText.objects.filter(series=series, kind=kind).values_list("language", flat=True))
    found = []
    for language, _own_name in settings.MAIL_LANGUAGES:
        name = translation.get_language_info(languages.tag(language))["name_translated"]
        words = tuple(letters.untranslated(registry.KINDS[kind].template, language))
        which = "own" if language in own else "english" if words else "usual"
        found.append(Standing(language, str(name), which, words))
    return found


# --- Steps of staff: each raises WrongStep in words, and is told by the mailing's history ----------------------------


def seen(text):
    """What a page remembers of the text it shows, so that nobody's change is overwritten unseen."""
    return text.changed_at.isoformat() if text else ""


def why_not(mailing):
    """Why the texts of a mailing cannot be changed any more, in words; "" while they can."""
    if mailing.is_frozen:
        return _(
            "Its letters are written, to be looked at. Throw them away on the mailing’s page first; then come back."
        )
    if mailing.writing_at:
        return _("Its letters are written already: what they say cannot be changed any more.")
    kin = Mailing.objects.filter(kind=mailing.kind, series=mailing.series)
    if kin.filter(state=Mailing.State.WRITING).exists():
        return _("Letters of this kind are being written at this moment. Try again when all are written.")
    return ""


def save(mailing, language, source, *, by, now, expected=None):
    """Let mails of this kind and series say this in one language.

    expected -- what `seen` said of the text that the writer had before them
    """

    def change(text):
        facts = {"subject": source.subject, "body": source.body, "changed_at": now, "changed_by": by}
        one = {"series": mailing.series, "kind": mailing.kind, "language": language}
        SeriesText.objects.update_or_create(**one, defaults=facts)

    _step(mailing, language, f"text_{language}", change, by=by, now=now, expected=expected)


def forget(mailing, language, *, by, now, expected=None):
    """Let the usual text go again."""

    def change(text):
        if text is None:
            return _("The usual text goes already.")
        text.delete()

    _step(mailing, language, f"usual_text_{language}", change, by=by, now=now, expected=expected)


def _step(mailing, language, code, change, *, by, now, expected):
    """Take a step while no letter is being written: the writer waits for the same rows, and sees it done or not."""
    with transaction.atomic():
        kin = Mailing.objects.select_for_update().filter(kind=mailing.kind, series=mailing.series).order_by("pk")
        current = next(one for one in kin if one.pk == mailing.pk)
        text = SeriesText.objects.filter(series=mailing.series, kind=mailing.kind, language=language).first()
        refusal = why_not(current)
        if not refusal and expected is not None and expected != seen(text):
            refusal = _("Somebody else has changed this text meanwhile. What you typed stands below; compare it.")
        refusal = refusal or change(text)
        trail.record(mailing, code, now=now, by=by, refused=bool(refusal))
    if refusal:  # outside the block: a refusal must not undo its own event
        raise WrongStep(refusal)
