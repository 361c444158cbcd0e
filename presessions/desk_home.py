"""The home page of the staff's desk: where each live series stands, what waits, what goes out next. Wiring.

Every number is a link to exactly those rows: the rooms count with the querysets that their lists filter by
(`applications.work`, `applications.thin`, `presessions.mail.work`, `missions.work`). The same queries for one series
and for six, for no application and for a hundred thousand. Reads, never writes.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Min
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import thin, work
from applications.mailings import second_call
from applications.models import StateCall
from missions import work as missions_work
from presessions.mail import work as mail_work
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import GENEVA, day_in_words, day_of, in_words, last_day, last_minute_words
from presessions.upr.models import CountryMeeting, Series

MOST_SERIES = 6  # live at the same time; more are found in their list
MOST_THIN = 4  # States told one by one; the others by their number
LETTERS = {  # by state, with what it asks of somebody
    Letter.State.FAILED: lambda n: ngettext("letter could not be delivered", "letters could not be delivered", n),
    Letter.State.BOUNCED: lambda n: ngettext("letter came back", "letters came back", n),
    Letter.State.UNCERTAIN: lambda n: ngettext(
        "letter may or may not have arrived", "letters may or may not have arrived", n
    ),
    Letter.State.EXPIRED: lambda n: ngettext("letter came too late to leave", "letters came too late to leave", n),
}


@dataclass(frozen=True)
class Number:
    """Something that waits: how many, of what, and the list of exactly those."""

    number: int
    words: str
    url: str


@dataclass(frozen=True)
class Point:
    """A date on a series' line of time, or several. state -- past, with the last of them, next or ahead; `at`, the
    first, is None while the date is unknown."""

    label: str
    words: str
    at: datetime | None
    state: str = "ahead"


@dataclass(frozen=True)
class Thin:
    """A State that too few have applied for, and what was done about it."""

    state_call: Any
    minimum: int
    left: str
    mailing: Any = None
    mail_words: str = ""

    @property
    def name(self):
        return self.state_call.state.name

    @property
    def number(self):
        return self.state_call.application_count

    @property
    def url(self):
        return reverse("admin:applications_statecall_change", args=[self.state_call.pk])

    @property
    def mail_url(self):
        return self.mailing and reverse("admin:mail_mailing_change", args=[self.mailing.pk])


@dataclass
class Card:
    """One live series."""

    series: Any
    figure: str  # the days until what comes next, or "Today"
    until: str  # what comes next, after the figure
    where: str  # where we are, as a sentence
    points: list
    numbers: list = field(default_factory=list)
    thin: list = field(default_factory=list)
    thin_number: int = 0
    thin_url: str = ""
    mails: list = field(default_factory=list)
    ways: list = field(default_factory=list)  # (words, address) of the pages on which its work is done
    invited: int = 0
    answered: int = 0

    @property
    def other_thin(self):
        return self.thin_number - len(self.thin)


@dataclass
class Dates:
    """The dates that a series' line of time is drawn from; None where nobody knows."""

    opens_at: datetime | None = None
    deadlines: tuple = (None, None)  # the first and the last of its States'
    invited_at: datetime | None = None
    meetings: tuple = (None, None)  # the start of the first and of the last
    number_of_meetings: int = 0


def context(user, now):
    """What the template shows, to this user: only what their rights open."""
    cards = _cards(user, now) if user.has_perm("upr.view_series") else []
    return {
        "cards": cards,
        "elsewhere": list(_elsewhere(user, now)),
        "today": day_in_words(now.astimezone(GENEVA)),
        "may_set_up": user.has_perm("upr.add_series"),
    }


def live_series():
    """Those that nobody has closed, the nearest Working Group first."""
    living = Series.objects.filter(closed_at=None).select_related("session", "call")
    return list(living.order_by("session__starts_on", "session__number")[:MOST_SERIES])


def _cards(user, now):
    series = live_series()
    dates = _dates_of(series)
    cards = [_card(one, dates[one.pk], now) for one in series]
    if user.has_perm("applications.view_application"):
        _add_applications(cards, work.of_series(series, now, user))
        _add_thin(cards, thin.of_series(series, now), user, now)
    if user.has_perm("upr.change_countrymeeting"):
        _add_not_told(cards, missions_work.not_told(series, now))
    for card in cards:
        card.ways = list(_ways(card.series, user))
    if user.has_perm("mail.view_mailing"):
        mails = mail_work.next_of_series(series, now)
        for card in cards:
            card.mails = mails.get(card.series.pk, [])
    if user.has_perm("missions.view_invitation"):
        answered = missions_work.answered_of_series(series)
        for card in cards:
            card.invited, card.answered = answered.get(card.series.pk, (0, 0))
    return cards


def _ways(series, user):
    if user.has_perm("applications.view_application"):
        yield from _ways_of_applications(series, user)
    if user.has_perm("missions.view_invitation"):
        yield _("Reports"), reverse("admin:upr_series_report", args=[series.pk])


def _ways_of_applications(series, user):
    if user.has_perm("applications.assess"):
        yield _("Review desk"), f"{reverse('admin:applications_review')}?series={series.pk}"
    yield _("Panels and agendas"), f"{reverse('admin:applications_panels')}?series={series.pk}"
    yield _("Answers per meeting"), f"{reverse('admin:applications_decisions_index')}?series={series.pk}"
    if user.has_perm("applications.view_maderecommendation"):
        yield _("Recommendations"), f"{reverse('admin:applications_recommendations_index')}?series={series.pk}"


# --- The line of time -------------------------------------------------------------------------------------------------


def _dates_of(series):
    """{series' key: Dates}, in three queries."""
    found = {one.pk: Dates(opens_at=_call(one) and _call(one).opens_at) for one in series}
    calls = StateCall.objects.taking_place().with_deadline().filter(call__series__in=series)
    calls = calls.order_by().values_list("call__series")
    for pk, first, last in calls.annotate(Min("deadline_in_force"), Max("deadline_in_force")):
        found[pk].deadlines = (first, last)
    meetings = CountryMeeting.objects.going_ahead().filter(state_under_review__session__series__in=series).order_by()
    meetings = meetings.values_list("state_under_review__session__series")
    for pk, number, first, last in meetings.annotate(Count("pk"), Min("starts_at"), Max("starts_at")):
        found[pk].number_of_meetings, found[pk].meetings = number, (first, last)
    invitations = Mailing.objects.filter(kind="invitation", series__in=series, meeting=None)
    for pk, due_at, writing_at in invitations.values_list("series", "due_at", "writing_at"):
        found[pk].invited_at = writing_at or due_at
    return found


def _call(series):
    return getattr(series, "call", None)


def _card(series, dates, now):
    figure, until, where = _where(series, dates, now)
    return Card(series, figure, until, where, _points(series, dates, now))


def _points(series, dates, now):
    first, last = map(_date, dates.meetings) if dates.meetings[0] else (series.first_day, series.last_day)
    starts_on = series.session.starts_on
    meetings = dates.meetings if dates.meetings[0] else (_start(first), _start(last))
    begins = _start(starts_on)
    found = [
        (_("Call opens"), dates.opens_at, dates.opens_at, _day(dates.opens_at)),
        (_("Deadline"), *dates.deadlines, _days(*map(_last_day, dates.deadlines))),
        (_("Missions invited"), dates.invited_at, dates.invited_at, _day(dates.invited_at)),
        (_("Meetings"), *meetings, _days(first, last)),
        (_("Working Group"), begins, begins, _short(starts_on) if starts_on else series.session.month_label),
    ]
    known = sorted((point for point in found if point[1]), key=lambda point: point[1])
    unknown = [point for point in found if not point[1]]
    points, is_next = [], True
    for label, at, until, words in [*known, *unknown]:
        state = "past" if at and (until or at) <= now else "next" if at and is_next else "ahead"
        is_next = is_next and state != "next"
        points.append(Point(label, words or _("no date yet"), at, state))
    return points


def _where(series, dates, now):
    """(figure, what comes then, where we are): "21", "days until the deadline", "The call is open until ..."."""
    today = day_of(now)
    opens_at, (first_deadline, last_deadline), (first, last) = dates.opens_at, dates.deadlines, dates.meetings
    if not opens_at or not last_deadline:
        return "", "", _("The call has no dates yet.")
    if now < opens_at:
        days = (_date(opens_at) - today).days
        return *_figure(days, _("the call opens"), "open"), _("The call opens %(at)s.") % {"at": in_words(opens_at)}
    if now < last_deadline:
        nearest = first_deadline if now < first_deadline else last_deadline
        days = (last_day(nearest) - today).days
        words = {"at": last_minute_words(nearest), "last": last_minute_words(last_deadline)}
        one = _("The call is open until %(at)s.") % words
        more = _("Some States have longer, the last until %(last)s.") % words if nearest != last_deadline else ""
        return *_figure(days, _("the last day to apply"), "deadline"), f"{one} {more}".strip()
    if first is None or now < first:
        days = (_date(first) - today).days if first else None
        where = _("The call is over: read, assess, compose the panels, decide.")
        return *_figure(days, _("the first meeting"), "meeting"), where
    if _date(last) >= today:
        return *_figure((_date(last) - today).days, _("the last meeting"), "last"), _("The meetings are being held.")
    starts_on = series.session.starts_on
    if starts_on is None or today < starts_on:
        days = (starts_on - today).days if starts_on else None
        return *_figure(days, _("the Working Group begins"), "group"), _("The meetings are over.")
    return "", "", _("The meetings and the Working Group are behind us: this series can be closed.")


def _figure(days, today, until):
    """("21", "days until the deadline"); on the day itself ("Today", what it is)."""
    if days is None:
        return "", ""
    if days <= 0:
        return _("Today"), today
    words = {
        "open": lambda: ngettext("day until the call opens", "days until the call opens", days),
        "deadline": lambda: ngettext("day until the deadline", "days until the deadline", days),
        "meeting": lambda: ngettext("day until the first meeting", "days until the first meeting", days),
        "last": lambda: ngettext("day until the last meeting", "days until the last meeting", days),
        "group": lambda: ngettext("day until the Working Group", "days until the Working Group", days),
    }
    return str(days), words[until]()


def _date(instant):
    return instant and day_of(instant)


def _last_day(deadline):
    return deadline and last_day(deadline)


def _start(day):
    return day and datetime(day.year, day.month, day.day, tzinfo=GENEVA)


def _short(day):
    return date_format(day, "j M")


def _day(instant):
    return instant and _short(_date(instant))


def _days(first, last):
    """ "17 Dec", or "17 Dec – 24 Dec" """
    if not first or not last:
        return ""
    return _short(first) if first == last else f"{_short(first)} – {_short(last)}"


# --- What waits -------------------------------------------------------------------------------------------------------


def _add_applications(cards, numbers):
    page = reverse("admin:applications_application_changelist")
    for card in cards:
        for one in work.WORK:
            number = numbers.get((card.series.pk, one.code), 0)
            if number:
                chosen = {"stands": one.code} if one.code else {}
                address = f"{page}?{urlencode({**chosen, 'series': card.series.pk})}"
                card.numbers.append(Number(number, one.words % {"n": number}, address))


def _add_not_told(cards, found):
    for card in cards:
        if one := found.get(card.series.pk):
            n = one.number
            words = ngettext(
                "mission not told that meetings have changed", "missions not told that meetings have changed", n
            )
            card.numbers.append(Number(n, words, one.address))


def _add_thin(cards, found, user, now):
    may_mail = user.has_perm("mail.view_mailing")
    mails = second_call.of_meetings([one.meeting_id for those in found.values() for one in those]) if may_mail else {}
    page = reverse("admin:applications_statecall_changelist")
    for card in cards:
        card.thin_url = f"{page}?{urlencode({'thin': 'yes', 'series': card.series.pk})}"
        those = found.get(card.series.pk, ())
        card.thin_number = len(those)
        for one in sorted(those, key=lambda one: one.meeting_id not in mails)[:MOST_THIN]:  # what can be done first
            mailing, number = mails.get(one.meeting_id, (None, None))
            words = second_call.in_words(mailing, number) if mailing else ""
            card.thin.append(Thin(one, one.call.minimum, _left(one, now), mailing, words))


def _left(state_call, now):
    if state_call.deadline <= now:
        return _("closed")
    days = state_call.days_left(now)
    return ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days} if days else _("last day")


def _elsewhere(user, now):
    """What of the mail and of the missions waits for somebody, whatever the series."""
    if user.has_perm("mail.view_letter"):
        for state, number in mail_work.letters_to_look_at().items():
            yield Number(number, LETTERS[state](number), mail_work.address_of(state))
    if user.has_perm("mail.view_mailing") and (number := mail_work.held()):
        words = ngettext(
            "mailing held, until somebody lets it go", "mailings held, until somebody lets them go", number
        )
        yield Number(number, words, mail_work.held_address())
    if user.has_perm("missions.view_missiontask") and (number := missions_work.not_reached()):
        words = ngettext("mission that no mail reaches", "missions that no mail reaches", number)
        yield Number(number, words, missions_work.not_reached_address())
    if user.has_perm("missions.view_registercheck") and (number := missions_work.checks_to_settle()):
        words = ngettext("mission asks for changes in the register", "missions ask for changes in the register", number)
        yield Number(number, words, missions_work.checks_address())
    if user.has_perm("missions.view_registercheck") and (number := missions_work.not_checked(now)):
        words = ngettext("mission not checked for a year", "missions not checked for a year", number)
        yield Number(number, words, missions_work.not_checked_address())
