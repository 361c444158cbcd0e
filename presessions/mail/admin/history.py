"""What was done to a row of this room, in words; why a thing was done the last time. Room: mail."""

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from presessions.trail import words
from presessions.trail.models import Event

WORDS = {
    # staff, with a mailing
    "move": gettext_lazy("moved to another moment"),
    "follow_rule": gettext_lazy("given back to its rule"),
    "change_rule": gettext_lazy("rule changed"),
    "hold": gettext_lazy("held"),
    "resume": gettext_lazy("let go"),
    "send_now": gettext_lazy("sent now"),
    "cancel": gettext_lazy("cancelled for good"),
    "catch_up": gettext_lazy("those who joined later written to"),
    "freeze": gettext_lazy("letters asked for, to look at them"),
    "thaw": gettext_lazy("letters thrown away, planned again"),
    "approve": gettext_lazy("approved by the first of two persons"),
    "release": gettext_lazy("let go by the second of two persons"),
    "test": gettext_lazy("test sent to oneself"),
    **{
        code: format_lazy(words, language=language)
        for short, language in settings.MAIL_LANGUAGES
        for code, words in (
            (f"text_{short}", gettext_lazy("text of this series changed: {language}")),
            (f"usual_text_{short}", gettext_lazy("given back to the usual text: {language}")),
        )
    },
    # the clock, with a mailing
    "writing": gettext_lazy("writing began"),
    "frozen": gettext_lazy("all letters written, held to be looked at"),
    "written": gettext_lazy("all letters written, sending began"),
    "done": gettext_lazy("done"),
    "proposed": gettext_lazy("proposed, because a date changed"),
    "suggested": gettext_lazy("proposed by the clock; no date changed"),
    "suggestion_ended": gettext_lazy("not needed any more: nobody has to be written to"),
    "not_needed": gettext_lazy("not needed any more: the date is as it was told"),
    "held_look": gettext_lazy("held: a date has changed since it was looked at"),
    "approval_ended": gettext_lazy("approval ended, because a date or a text changed"),
    "held_past": gettext_lazy("held: already past when the date was entered"),
    "held_late": gettext_lazy("held: too late to go out by itself"),
    "held_pointless": gettext_lazy("held: of no use any more"),
    "held_audience": gettext_lazy("held: its audience could not be listed"),
    "held_failures": gettext_lazy("held: too many of its letters failed in a row"),
    "held_second": gettext_lazy("held: a second person must release it"),
    # letters
    "send_again": gettext_lazy("sent again"),
    "arrived": gettext_lazy("marked as arrived"),
    "drop": gettext_lazy("dropped"),
    # what came back, and whom it did not reach
    "dealt_with": gettext_lazy("dealt with"),
    "opened": gettext_lazy("task opened"),
    "address_bounced": gettext_lazy("an address bounced"),
    # all mail
    "stop": gettext_lazy("all mail stopped"),
    "start": gettext_lazy("all mail started"),
    "forgotten_again": gettext_lazy("what a restored copy had brought back was forgotten again"),
    "stop_restored": gettext_lazy("all mail stopped: the database may be a restored copy"),
    "reconciled": gettext_lazy("written down what the journal knew"),
    "end": gettext_lazy("dealt with"),
    # an invitation
    "answered": gettext_lazy("answered"),
    "looked": gettext_lazy("looked at"),
    "revoked": gettext_lazy("links revoked"),
}


words.give("mail", WORDS)
REHEARSED = {"rehearsed_in_full": gettext_lazy("mails rehearsed, with every address")}
words.give("upr.series", REHEARSED, looks=REHEARSED)


def last_reason(row, code):
    """Why this was done the last time, in the words of whoever did it; "" when nobody said."""
    event = Event.objects.about(row).filter(code=code, refused=False).select_related("reason").last()
    return event.reason.text if event and hasattr(event, "reason") else ""
