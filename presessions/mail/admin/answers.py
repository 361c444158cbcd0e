"""What the short codes of a letter's history mean, for people. Room: mail."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "timeout": _("the server did not answer in time"),
    "dropped": _("the connection broke"),
    "refused": _("the server could not be reached"),
    "garbage": _("the server answered something that is no answer"),
    "login": _("the server did not let us in"),
    "lease": _("the worker that had it in hand stopped"),
    "not_after": _("it would have come too late"),
    "mailing": _("its mailing was cancelled"),
    "unwanted": _("it was no longer wanted"),
    "gone": _("the address does not work"),
    "unreadable": _("its bytes could not be read"),
    "render": _("its text could not be written"),
    "subject": _("its subject cannot stand in a mail"),
    "address": _("its address is none"),
    "size": _("it is too long"),
    "arrived": _("staff: it arrived"),
    "send_again": _("staff: send again"),
    "drop": _("staff: dropped"),
}


def in_words(code):
    """A code as people read it; a server's own number stays what it is."""
    return str(WORDS.get(code, code))
