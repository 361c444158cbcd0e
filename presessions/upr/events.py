"""What happened to the calendar, in words: code of an event -> what a person reads. Room: upr."""

from django.utils.translation import gettext_lazy as _

from presessions.trail import words
from presessions.upr.models import CountryMeeting, Series, StateUnderReview, WorkingGroupSession

words.lead(WorkingGroupSession, "number")
words.lead(Series, "session__number")
words.lead(StateUnderReview, "session__number", "state__pk")
words.lead(CountryMeeting, "state_under_review__session__number", "state_under_review__state__pk")
words.give(
    "upr",
    {
        "added": _("added"),
        "changed": _("changed"),
        "opened": _("opened"),
        "closed": _("closed"),
        "reopened": _("opened again"),
        "moved": _("moved to another session"),
        "planned": _("planned"),
        "confirmed": _("confirmed"),
        "held": _("marked as held"),
        "called off": _("called off"),
        "planned again": _("planned again"),
        "told": _("those who did not know it yet were told"),
        "decisions_released": _("answers released together"),
    },
)
