"""What the trail forgets: why things were done, in people's words. Room: trail.

The events stay. They name nobody: a random reference, a code, a moment and the number of a member of staff; and one
that was taken out could not be told from one that somebody has taken away (see `sealing`).
"""

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from presessions import retention
from presessions.trail import words
from presessions.trail.models import Reason

words.give("retention", {"forgotten_now": _("forgotten now, not at night")})


def reasons():
    return Reason.objects.alias(kept_since=F("event__at"))


retention.rule(
    "reasons",
    what=_("Why staff did something, in their own words"),
    when=ngettext_lazy(
        "%(days)d day after it was done; earlier with what it was about",
        "%(days)d days after it was done; earlier with what it was about",
        "days",
    ),
    kept=reasons,
    stays=_("that it was done, when, and by which number of the staff"),
)(retention.delete)
