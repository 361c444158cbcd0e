"""How far recommendations came, in numbers: proposed on a panel, made in the Working Group, supported by the State.
Room: applications; reads, never writes."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications.models import Application, MadeRecommendation, Recommendation, TakenUp
from presessions.upr.models import CountryMeeting

Response, Extent = MadeRecommendation.Response, TakenUp.Extent


@dataclass
class Fate:
    """How far recommendations came. proposed, taken_up, as_proposed, answered_yes -- on panels: all, those that
    somebody made, those made as they were proposed, those made and supported; made, supported, noted -- in the Working
    Group"""

    proposed: int = 0
    taken_up: int = 0
    as_proposed: int = 0
    answered_yes: int = 0
    made: int = 0
    supported: int = 0
    noted: int = 0

    def add(self, other):
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def answered(self):
        return self.supported + self.noted

    @property
    def pending(self):
        return self.made - self.answered

    def share(self, part, whole):
        """In whole percent; None of nothing."""
        return round(100 * part / whole) if whole else None


@dataclass
class Fates:
    """Of one series. meetings -- [(meeting, its Fate)] of those alone whose recommendations have been entered, in the
    order of States' names: where nothing is entered yet, nothing is known of what became of the proposals"""

    series: Any
    meetings: list = field(default_factory=list)
    total: Fate = field(default_factory=Fate)

    def sentences(self):
        """As they can be published: nobody is named."""
        total = self.total
        if not total.made:
            return []
        facts = {**vars(total), "pending": total.pending, "answered": total.answered, "n": len(self.meetings)}
        facts |= {"up": total.share(total.taken_up, total.proposed)}
        facts |= {"yes": total.share(total.supported, total.answered)}
        if total.answered:
            words = _(
                "Recommendations made in the Working Group: %(made)d; answered: %(answered)d, and of these supported: "
                "%(supported)d (%(yes)d%%), noted: %(noted)d; not answered yet: %(pending)d."
            )
        else:
            words = _("Recommendations made in the Working Group: %(made)d; none is answered yet.")
        told = [words % facts]
        if total.proposed:
            words = ngettext(
                "Recommendations proposed on the panel of the %(n)d State whose review is entered: %(proposed)d; taken "
                "up: %(taken_up)d (%(up)d%%), as proposed: %(as_proposed)d, taken up and supported: %(answered_yes)d.",
                "Recommendations proposed on the panels of the %(n)d States whose review is entered: %(proposed)d; "
                "taken up: %(taken_up)d (%(up)d%%), as proposed: %(as_proposed)d, taken up and supported: "
                "%(answered_yes)d.",
                facts["n"],
            )
            told.append(words % facts)
        return told


def of(series):
    """The Fates of a series, in four queries."""
    return of_many([series])[0]


def of_many(all_series):
    """Those of several series, at the cost of one. Published or not: they are for staff."""
    sessions = [one.session_id for one in all_series]
    meetings = CountryMeeting.objects.filter(state_under_review__session__in=sessions).with_state()
    meetings = list(meetings.order_by("state_under_review__state__sort_key"))
    fate, found = of_meetings(meetings), []
    for one in all_series:
        ours = Fates(one)
        for meeting in meetings:
            if meeting.state_under_review.session_id == one.session_id and fate[meeting.pk].made:
                ours.meetings.append((meeting, fate[meeting.pk]))
                ours.total.add(fate[meeting.pk])
        found.append(ours)
    return found


def of_meetings(meetings):
    """{meeting's key: its Fate}, in three queries."""
    fate = {meeting.pk: Fate() for meeting in meetings}
    of_review = {meeting.state_under_review_id: fate[meeting.pk] for meeting in meetings}
    made = MadeRecommendation.objects.filter(state_under_review__in=of_review).order_by()
    for review, response in made.values_list("state_under_review", "response"):
        of_review[review].made += 1
        of_review[review].supported += response == Response.SUPPORTED
        of_review[review].noted += response == Response.NOTED
    spoke = Application.objects.filter(state_call__meeting__in=fate, status=Application.Status.CONFIRMED)
    proposed = Recommendation.objects.filter(application__in=spoke).order_by()
    for meeting in proposed.values_list("application__state_call__meeting", flat=True):
        fate[meeting].proposed += 1
    taken = defaultdict(list)
    joined = TakenUp.objects.filter(proposed__application__in=spoke, made__state_under_review__in=of_review).order_by()
    for key, review, *how in joined.values_list("proposed", "made__state_under_review", "extent", "made__response"):
        taken[review, key].append(how)
    for (review, _key), hows in taken.items():
        of_review[review].taken_up += 1
        of_review[review].as_proposed += any(extent == Extent.WHOLE for extent, _response in hows)
        of_review[review].answered_yes += any(response == Response.SUPPORTED for _extent, response in hows)
    return fate
