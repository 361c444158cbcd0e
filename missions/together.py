"""Several meetings changed at once, as by the page of a series: one letter to each mission about all of them.

Room: missions; imports notices. An applicant reckons with one meeting, and gets the letter about that.
"""

from dataclasses import dataclass, replace

from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from missions import calendar, notices, standing
from presessions.mail import languages, outbox, registry
from presessions.upr.models import CountryMeeting, Series

MOST = 15  # meetings in one letter: its key has no room for more
MISSIONS = ngettext_lazy(
    "%(n)s mission that answered for several of them", "%(n)s missions that answered for several of them", "n"
)


@dataclass(frozen=True)
class Several(notices.Notice):
    """One letter each about several meetings, not the same for everybody. `meeting` is the first of all."""

    def put(self, now):
        for person in self.people:
            key = standing.key_of_several(person.context["changed"])
            outbox.put(kind=self.kind, key=f"{key}{_versions(person)}:{person.id}", recipient=person, now=now)


def _versions(person):
    """Rises with each change, so that the same programme can be told again after another."""
    return sum(meeting.sequence for meeting in person.context["changed"])


def not_told_yet(meetings, *, now, only_place=()):
    """Whom nobody has told how these meetings stand now: notices, with a mission in one of them and no more.

    meetings -- of one series, with their States; only_place -- keys of those whose hour is as it was
    """
    found, of_missions = [], []
    for meeting in meetings:
        for notice in notices.not_told_yet(meeting, now=now, only_place=meeting.pk in only_place):
            (of_missions if notice.kind in notices.TO_MISSIONS else found).append(notice)
    told = {}  # {mission: [(meeting, recipient)]}
    for notice in of_missions:
        for person in notice.people:
            told.setdefault(person.id, []).append((notice.meeting, person))
    for notice in of_missions:
        alone = [person for person in notice.people if len(told[person.id]) == 1]
        found += [replace(notice, people=alone)] if alone else []
    parts = [pairs[at : at + MOST] for pairs in told.values() if len(pairs) > 1 for at in range(0, len(pairs), MOST)]
    people = [_about([meeting for meeting, _person in part], part[0][1], now) for part in parts]
    return [*found, Several(standing.SEVERAL, meetings[0], people, MISSIONS)] if people else found


def _about(meetings, person, now):
    with translation.override(languages.tag(languages.spoken(person.language))):
        entries = calendar.entries(meetings, now=now)
    context = {name: person.context[name] for name in ("series", "mission")}
    context |= {"changed": meetings, "with_calendar": bool(entries)}
    return replace(person, context=context, calendar=entries)


def _again(letter):
    """For "send again": those of its meetings that still stand as it says."""
    said = standing.told_by(letter.key)
    series = Series.objects.filter(session__number=letter.key.split(":")[1]).first()
    meetings = series.meetings().with_state().filter(state_under_review__state__in=said) if series else ()
    meetings = [meeting for meeting in meetings if said[meeting.state.pk] == standing.stand(meeting)]
    person = notices.again_to(letter.recipient_id, meetings, letter.created_at) if meetings else None
    return person and _about(meetings, person, letter.created_at)


registry.occasion(
    standing.SEVERAL,
    label=_("changes of several meetings, to missions"),
    template=f"mail/{standing.SEVERAL}",
    link="invitation",
    rewrite=_again,
)


def ahead(series, now):
    """The meetings of a series of which there is something to tell: not held, and not begun."""
    meetings = series.meetings().with_state().exclude(status=CountryMeeting.Status.HELD)
    return [one for one in meetings if one.starts_at is None or one.starts_at > now]
