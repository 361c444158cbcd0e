"""What staff should know of a mailing before it really goes. Room: mail. Plain English: it is said by a command."""

from collections import Counter

from django.utils import translation

from presessions.mail import languages, registry, texts
from presessions.mail.models import Letter, Mailing
from presessions.mail.wording import explain

TWO_PERSONS = "Goes to many: somebody must approve it first, and somebody else let it go."
WHY = {
    "render": "its text has a hole or an error",
    "address": "its address is none",
    "subject": "its subject holds signs that no header may have",
    "size": "it is too long",
    "unreadable": "no key opens it",
    "gone": "its address is not theirs any more",
    "not_after": "its last moment has passed",
    "unwanted": "its reader does not want it any more",
}


def of(going, *, wanted, now):
    """The problems of what went, in sentences.

    wanted -- {(kind, id): language} of the people it was written to, or None where nobody asked
    """
    found = [
        f"{counted(number, 'letter')} did not go: {WHY.get(code, code or state)}."
        for (state, code), number in sorted(going.lost.items())
    ]
    if going.mailing is None:
        return found
    return [*found, *_in_another_language(going, wanted or {}), *_own_texts(going), *_without_address(going, now)]


def of_what_stays(mailing):
    """Why a mailing would not go, in a sentence; "" where nobody expects it to."""
    if mailing.state in (Mailing.State.NOT_NEEDED, Mailing.State.CANCELLED):
        return ""
    return str(explain(mailing))


def _in_another_language(going, wanted):
    """Those who read one language and are written to in English, because not all words of this mail are translated."""
    rows = going.letters().values_list("recipient_kind", "recipient_id", "language")
    other = Counter(
        wanted[kind, number]
        for kind, number, language in rows.iterator()
        if wanted.get((kind, number), language) != language
    )
    for language, number in sorted(other.items()):
        who = f"{counted(number, 'reader')} of {named(language)} {'gets' if number == 1 else 'get'}"
        yield f"{who} it in English: it is not translated completely."


def _own_texts(going):
    """Staff wrote a text of their own for this series, and not in each language that its letters go in."""
    own = {one.language for one in texts.standings(going.kind, going.mailing.series) if one.which == "own"}
    for language in sorted(going.languages.keys() - own if own else ()):
        words = ", ".join(named(code) for code in sorted(own))
        yield f"The text of this series stands in {words} only: readers of {named(language)} get the usual one."


def _without_address(going, now):
    find = registry.WITHOUT_ADDRESS.get(going.kind)
    people = list(find(going.mailing, now)) if find else []
    if not people:
        return
    letters = [Letter(recipient_kind=kind, recipient_id=number) for kind, number in people]
    labels = registry.recipient_kind(letters[0].recipient_kind).label(letters)
    names = sorted(labels.get(letter.recipient_id, letter.recipient_id) for letter in letters)
    yield f"{len(names)} cannot be written to, for want of an address: {', '.join(names)}."


def counted(number, what):
    """“1 letter”, “12 letters”."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def named(language):
    """A language of letters in English words."""
    return translation.get_language_info(languages.tag(language))["name"]
