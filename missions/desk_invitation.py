"""One mission's invitation on the staff's desk: its answers and by whom, its colleagues and questions, its links; and
the questions of all missions on the moderator's sheet. Room: missions.
"""

from functools import partial

from django.utils.translation import gettext as _

from applications import added
from missions import passing_on
from missions.models import Question, Reply
from presessions.mail.models import LinkVisit
from presessions.trail import words
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep

MOST_VISITS = 50


def shown(invitation, user):
    """What the page shows this member of staff: of what was said in private, and of people, no more than they may see
    elsewhere. None stands for what they may not."""
    may = {name: user.has_perm(f"missions.view_{name}") for name in ("colleague", "delegate", "question")}
    replies = {reply.meeting_id: reply for reply in invitation.replies.select_related("colleague")}
    meetings = list(invitation.series.meetings().with_state())
    answers = [(meeting, replies.get(meeting.pk)) for meeting in meetings]
    names = {f"{invitation.reference}/{meeting.state.pk}": meeting.state for meeting in meetings}
    colleagues = list(invitation.colleagues.select_related("passed_on_by"))
    delegates = invitation.delegates.select_related("meeting__state_under_review__state")
    questions = invitation.questions.select_related("meeting__state_under_review__state")
    own = {"link__purpose": "invitation", "link__target_id": invitation.reference}
    theirs = {"link__purpose": "colleague", "link__target_id__in": [one.reference for one in colleagues]}
    visits = LinkVisit.objects.filter(**own) | LinkVisit.objects.filter(**theirs)
    called = {one.reference: name_of(one, user) for one in colleagues}
    return {
        "title": f"{invitation.mission}, {invitation.series}",
        "answers": [(meeting, reply, by_whom(reply, user)) for meeting, reply in answers],
        "answered_by": invitation.answered_by and name_of(invitation.answered_by, user),
        "note": invitation.note if user.has_perm("missions.change_invitation") else None,
        "delegates": delegates if may["delegate"] else None,
        "colleagues": colleagues if may["colleague"] else None,
        "questions": questions if may["question"] else None,
        "visits": [
            (visit, called.get(visit.link.target_id))
            for visit in visits.select_related("link").order_by("-at")[:MOST_VISITS]
        ],
        "earlier": [
            (event, names.get(event.reference, event.reference), words.of(event.room, event.code))
            for event in Event.objects.filter(
                room=Reply._meta.label_lower, reference__startswith=f"{invitation.reference}/"
            ).order_by("at", "pk")
        ],
    }


def name_of(colleague, user):
    """What staff read of a colleague: the name, or that it was one."""
    return colleague.shown if user.has_perm("missions.view_colleague") else _("a colleague")


def by_whom(reply, user):
    """The colleague by whose link a Reply came; None where it was the mission's own, or there is no Reply."""
    return reply and reply.colleague and name_of(reply.colleague, user)


def steps(invitation, posted):
    """What staff may do there: {name: step}."""
    return {
        "close_links": invitation.close_links,
        "new_link": partial(_new_link, invitation, close_others="close_others" in posted),
        "close_colleague": partial(_close_colleague, invitation, posted.get("colleague", "")),
    }


def _new_link(invitation, *, by, now, reason, close_others):
    if close_others and not reason.strip():
        raise WrongStep(_("Please say why the links mailed before are to be closed."))
    passing_on.new_link(invitation, by=by, now=now, close_others=close_others, reason=reason)


def _close_colleague(invitation, reference, *, by, now, reason):
    colleague = invitation.colleagues.filter(reference=reference).first()
    if colleague is None:
        raise WrongStep(_("This colleague is not known."))
    passing_on.close(colleague, by=by, now=now, reason=reason)


@added.to_sheet
def questions(meeting):
    """What missions would like the panel to be asked; by which of them is nobody's business in the room."""
    asked = Question.objects.filter(meeting=meeting).order_by("asked_at", "pk")
    return added.Section(
        _("Questions that missions left for the panel"),
        [question.words for question in asked],
        _("They were promised that their names are not said. Put those that help the hour."),
    )
