"""The briefing pack of a meeting: its agenda, and of each speaker the papers and recommendations that may be shown.
Room: applications; imports the public agenda.

A mission wants it the evening before the meeting, and again when it drafts its own recommendations. Whose eyes, and
from when, is what stands beside each consent: missions from the evening before the meeting, everybody once it is over.
Nothing of it is kept. Leave is asked of the rows whenever somebody reads, so that what is taken back is gone at once;
and of people at risk there is nothing, whatever they have agreed to.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from applications import agenda, public_agenda
from applications.models import Agenda, Application, Attachment, Consent
from presessions.upr import dates
from presessions.upr.models import CountryMeeting

Item = Consent.Item

EVENING = 18  # o'clock in Geneva, on the day before the meeting


class Audience(Enum):
    MISSIONS = "missions"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class Paper:
    """A cleaned file that may be handed out now."""

    file: Attachment
    key: str  # in its address: of this very version, and telling nothing
    title: str  # whose it is, as the agenda calls them
    number: int  # of the speaker

    @property
    def file_name(self):
        return f"{self.number}-{self.file.kind.replace('_', '-')}.{self.file.content_type}"


@dataclass(frozen=True)
class Proposals:
    """What one speaker recommends."""

    title: str
    texts: list


@dataclass(frozen=True)
class Pack:
    meeting: CountryMeeting
    version: int  # of the agenda; 0 while none is published
    lines: list  # of the agenda, as everybody may read them
    opens_at: datetime | None  # when papers and recommendations are shown; None where nobody can say
    is_open: bool
    papers: list
    by_theme: list  # (names of themes, [Proposals])

    @property
    def is_empty(self):
        return not (self.papers or self.by_theme)

    @property
    def number_of_recommendations(self):
        return sum(len(proposals.texts) for _themes, group in self.by_theme for proposals in group)


# --- From when --------------------------------------------------------------------------------------------------------


def opens_at(meeting, audience):
    """The instant from which papers and recommendations are shown; None while the hour of the meeting is not known."""
    if meeting.starts_at is None:
        return None
    if audience is Audience.EVERYBODY:
        return meeting.ends_at
    return dates.geneva(dates.days_before(dates.day_of(meeting.starts_at), 1), EVENING)


def is_open(meeting, audience, now):
    """Of a meeting that was called off nothing is shown. Where no hour was ever set, staff have to say that it was
    held."""
    if not meeting.goes_ahead:
        return False
    at = opens_at(meeting, audience)
    return at <= now if at else meeting.status == CountryMeeting.Status.HELD


# --- What is in it ----------------------------------------------------------------------------------------------------


def of(meetings, audience, now):
    """The Packs of some meetings, in their order: the same few queries for one and for fourteen."""
    keys = [meeting.pk for meeting in meetings]
    newest = {}
    for one in Agenda.objects.filter(meeting__in=keys).order_by("meeting", "-number"):
        newest.setdefault(one.meeting_id, one)
    seated = defaultdict(dict)
    for application in _seated(keys):
        seated[application.state_call.meeting_id][application.reference] = application
    return [_pack(meeting, newest.get(meeting.pk), seated[meeting.pk], audience, now) for meeting in meetings]


def _seated(meetings):
    """Those with a seat, and no more of them than can be shown."""
    files = Attachment.objects.filter(kind__in=Consent.OF_THE_PAPER).defer("original_name")
    return (
        Application.objects.filter(state_call__meeting__in=meetings, status__in=Application.HOLDS_SEAT)
        .select_related("state_call")
        .without_words(but=("name", "name_latin"))
        .prefetch_related("speakers", "consents", "recommendations", "themes", Prefetch("attachments", files))
        .order_by("submitted_at", "pk")
    )


def _pack(meeting, version, seated, audience, now):
    goes_ahead, opened = meeting.goes_ahead, is_open(meeting, audience, now)
    lines = public_agenda.shown(meeting, version.content, seated) if version and goes_ahead else []
    speakers = _in_order(lines, seated) if opened else []
    return Pack(
        meeting=meeting,
        version=version.number if version else 0,
        lines=lines,
        opens_at=opens_at(meeting, audience) if goes_ahead else None,
        is_open=opened,
        papers=[paper for title, number, one in speakers for paper in _papers(title, number, one)],
        by_theme=_by_theme(speakers),
    )


def _in_order(lines, seated):
    """(title, number, application) of each, as the agenda has them; whoever stands on none comes after, and is not
    named: leave for a name is leave to name it in the programme."""
    spoken = [one for one in lines if one.line.what == agenda.SPEAKER and one.line.reference in seated]
    found = [(one.title, one.line.number, seated[one.line.reference]) for one in spoken]
    rest = seated.keys() - {one.line.reference for one in spoken}
    last = max((one.line.number for one in lines), default=0)
    others = [application for reference, application in seated.items() if reference in rest]
    return found + [(public_agenda.generic(one), number, one) for number, one in enumerate(others, start=last + 1)]


def _papers(title, number, application):
    may_show = public_agenda.cleared(application)
    for kind, file in application.papers().items():
        if Consent.OF_THE_PAPER[kind] in may_show and file.is_readable:
            yield Paper(file, _key(file), title, number)


def _by_theme(speakers):
    """Whoever speaks on the same themes stands together; nobody says which of several a recommendation is about."""
    groups: dict[Any, list] = defaultdict(list)
    for title, _number, application in speakers:
        texts = [row.text for row in application.recommendations.all()]
        if texts and Item.RECOMMENDATIONS in public_agenda.cleared(application):
            themes = sorted(application.themes.all(), key=lambda theme: (theme.position, theme.name))
            groups[tuple((theme.position, theme.name) for theme in themes)].append(Proposals(title, texts))
    return [
        ([name for _position, name in themes] or [_("Other themes")], group) for themes, group in sorted(groups.items())
    ]


def _key(file, secret=None):
    """What calls a file in an address. A number would tell how many there are."""
    return salted_hmac("briefing pack", str(file.pk), secret=secret, algorithm="sha256").hexdigest()[:20]


def paper(pack, key):
    """The Paper of that key, or None where there is none, or none any more. An address outlives a change of keys."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return next((one for one in pack.papers if key in {_key(one.file, secret) for secret in secrets}), None)
