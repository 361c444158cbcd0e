"""To those who have begun and not sent. Room: applications."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from applications import letters
from applications.mailings.moments import unless_off, was
from applications.models import Application
from presessions.mail import corrections, registry


def _told_to_drafts(mailing, at):
    return {mailing.meeting.uid: unless_off(mailing.meeting, at("deadline"))}


def _drafts(mailing):
    """Begun by applicants. What staff enter for somebody is theirs to finish: no mail leaves before it is sent."""
    drafts = Application.objects.filter(status=Application.Status.DRAFT, received_at=None).for_meeting(mailing.meeting)
    return drafts.with_state().order_by("pk")


# The second one: two days of Geneva's calendar before the last day, at nine, so that 48 hours and more are left of a
# call that closes at 23:59.
for _step, _days in (("7 days", 7), ("48 hours", 2)):

    @registry.mailing(
        "unfinished_draft",
        step=_step,
        label=_("unfinished draft"),
        audience=_("applicants who have begun and not sent"),
        counted=ngettext_lazy("%(n)s applicant with a draft", "%(n)s applicants with a draft", "n"),
        template="mail/unfinished_draft",
        days_before=("deadline", _days),
        pointless_after="deadline",
        lapses=True,
        per_meeting=True,
        link="application",
        tells=_told_to_drafts,
        order=40,
    )
    def unfinished_drafts(mailing):
        """Drafts on one State, before that State's own deadline. Whoever has sent is left alone."""
        for application in _drafts(mailing):
            yield letters.of_application(application, state_call=application.state_call)


@registry.correction(
    "correction_draft",
    corrects=("unfinished_draft",),
    label=_("correction for drafts"),
    audience=_("applicants who were told another last minute"),
    counted=ngettext_lazy("%(n)s applicant with a draft", "%(n)s applicants with a draft", "n"),
    template="mail/correction_draft",
    link="application",
)
def correction_of_drafts(mailing):
    before, reached = was(mailing), corrections.reached(mailing)
    for application in _drafts(mailing):
        if ("application", application.reference) in reached:
            call = application.state_call
            yield letters.of_application(application, state_call=call, meeting=call.meeting, was=before)
