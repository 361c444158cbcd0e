"""What happened to missions, invitations and answers, in words: code of an event -> what a person reads. Room:
missions."""

from django.utils.translation import gettext_lazy as _

from missions.models import PermanentMission, Reply
from presessions.mail.admin.history import WORDS
from presessions.trail import words

words.lead(PermanentMission, "code")
words.lead(Reply, "invitation__reference", "meeting__state_under_review__state__pk")
words.give("missions", WORDS)  # what came back, and whom it did not reach
words.give(
    "missions",
    {
        "added": _("added"),
        "changed": _("changed"),
        "addresses_changed": _("addresses changed"),
        "links_closed": _("all links closed"),
        "new_link": _("new link sent"),
        "passed_on": _("passed on to a colleague"),
        "colleague_closed": _("link of a colleague closed"),
        "colleague_bounced": _("address of a colleague does not work"),
        "feedback_given": _("feedback given"),
        "done": _("done"),
        "in_person": _("answered: in person"),
        "online": _("answered: online"),
        "undecided": _("answered: undecided"),
        "no": _("answered: no"),
    },
)
words.give(
    "upr.countrymeeting",
    {
        "door_noted": _("noted at the door, or asked from the floor"),
        "door_corrected": _("notes of the day corrected"),
        "door_list_downloaded": _("door list taken as a PDF"),
    },
    looks={"door_list_downloaded"},
)
