"""What the rooms above send: they register it here at start, so that mail never imports them. Room: mail.

A room keeps its registrations in `<room>/mailings.py`, imported by its AppConfig.ready():

    @registry.mailing("invitation", label=_("invitation"), audience=_("every Permanent Mission"),
                      counted=ngettext_lazy("%(n)s Permanent Mission", "%(n)s Permanent Missions", "n"),
                      template="mail/invitation", months_before=("working_group", 1), latest=("first_meeting", 28),
                      pointless_after="last_meeting", link="invitation", tells=starts_of_meetings)
    def invitations(mailing):
        for mission in PermanentMission.objects.reachable():
            yield Recipient("mission", str(mission.pk), to=mission.address, language=mission.language)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any


class Priority(IntEnum):
    """Who goes first when many letters are due: somebody waits for a link, nobody waits for the call."""

    NOW = 0
    SOON = 5
    BULK = 9


@dataclass(frozen=True)
class Recipient:
    """One person of an audience. `kind` and `id` name them in the letter's key; no address does."""

    kind: str
    id: str
    to: str
    language: str = "en"
    context: dict[str, Any] = field(default_factory=dict)
    link_target: str | None = None  # what the personal link opens; the recipient's id when not said
    unsubscribe_target: str | None = None
    secrets: tuple[str, ...] = ()  # words of the text that the kept copy must not hold
    since: Any = None  # when they are known to have belonged to the audience already; None: nobody knows
    calendar: bytes = b""  # an entry for their calendar (RFC 5545), which the letter carries as a file


@dataclass(frozen=True)
class Kind:
    """How letters of one kind are written and treated, whoever asks for them.

    link, unsubscribe -- purposes of the personal links minted for each letter, or None
    resends -- identical repeats when nobody can know whether the letter arrived: 1 or 0; then staff decide
    rewrite -- from a settled letter, the Recipient of a new one ("send again"), or None when there is nobody any more
    """

    name: str
    label: str
    template: str
    link: str | None = None
    unsubscribe: str | None = None
    priority: int = Priority.NOW
    resends: int = 1
    rewrite: Callable[[Any], Recipient | None] | None = None


@dataclass(frozen=True)
class Plan:
    """One line of the timetable that every new series starts with; each series may change its own copy.

    audience, counted -- whom it goes to, in words; and the same with "%(n)s", when their number is known
    anchor, months, days, hour -- due so many calendar months and days before the anchor, at that hour in Geneva;
        a negative number means after
    latest_anchor, latest_days -- but at the latest so many days before that other anchor
    pointless_after -- the anchor after which nobody is helped by it
    lapses -- quietly not needed where that moment had passed before it could be planned at all: nobody misses a
        reminder of what is over, whereas a call or an invitation is held, and staff are asked
    unless_later -- not needed where the mailing of that kind is itself due at the same time or later
    outlives -- goes out though its series has been closed, where a meeting of it was held
    planned -- whether a series has this mailing at all
    tells -- the dates that its letters tell, {what: instant in ISO form, "" where unknown, or OFF}
    corrects -- of a correction: the kinds that it sets right. It has no date of its own: see `corrections`
    instead_of, because -- of an announcement: the kind of correction that says nothing of what it tells; and why it is
        there, in words for staff
    """

    kind: str
    step: str
    audience: str
    recipients: Callable[[Any], Iterable[Recipient]]
    anchor: str = ""
    months: int = 0
    days: int = 0
    hour: int = 9
    latest_anchor: str = ""
    latest_days: int | None = None
    pointless_after: str = ""
    unless_later: str = ""
    per_meeting: bool = False
    planned: Callable[[Any], bool] | None = None
    order: int = 10
    counted: Any = None
    lapses: bool = False
    outlives: bool = False
    tells: Callable[[Any], dict[str, str]] | None = None
    corrects: tuple[str, ...] = ()
    instead_of: str = ""
    because: Callable[[Any], str] | None = None


OFF = "off"  # what a mailing tells of a meeting that will not be held


@dataclass(frozen=True)
class Anchor:
    """A date that mailings hang on: `find(series, meeting)` gives the aware instant, or None while it is unknown.

    too_late -- the instant is the first that is too late, as of a deadline: its day is the day that ends there
    by_meeting -- each meeting of a series has its own
    every -- the same for many at once: from a list of series {(series' key, meeting's key or None): instant or None}
    """

    name: str
    label: str
    find: Callable[[Any, Any], Any]
    too_late: bool = False
    by_meeting: bool = False
    every: Callable[[list], dict] | None = None


@dataclass(frozen=True)
class Open:
    """Something that people outside can use at an instant: a call, an invitation that takes answers."""

    what: str
    words: str
    url: str = ""


@dataclass(frozen=True)
class RecipientKind:
    """What mail must ask about a recipient later: is the letter still wanted, where does staff see them.

    find -- the ids of those whose name holds a text; nobody, where a name is a secret
    label -- {id: words} for the recipients of some letters, in one query; a recipient without words is shown by its id
    has_address -- whether the letter's address is still this recipient's; when it is not, the letter stays at home
    masked(request, ids) -- those whose letters whoever asks may neither read nor find by an address
    opened(request, letter) -- somebody opens a letter's page
    on_bounce(letter, now, code, dead) -- it did not arrive, or never will; `dead` when its address does not work, so
        that nothing more should go there
    on_complaint(letter, now) -- its reader called it unwanted
    """

    still_wanted: Callable[[Any], bool] = lambda letter: True
    has_address: Callable[[Any], bool] = lambda letter: True
    admin_url: Callable[[Any], str | None] = lambda letter: None
    find: Callable[[str], Iterable[str]] = lambda text: ()
    label: Callable[[Iterable[Any]], dict[str, str]] = lambda letters: {}
    masked: Callable[[Any, Iterable[str]], Iterable[str]] = lambda request, ids: ()
    opened: Callable[[Any, Any], None] = lambda request, letter: None
    on_bounce: Callable[..., None] = lambda letter, now, code, dead: None
    on_complaint: Callable[..., None] = lambda letter, now: None


@dataclass(frozen=True)
class LinkPurpose:
    """Where a personal link leads (a path in the active language), and until when it opens (None: for ever).

    expires -- asked for a link that opens nothing, too, whose target nobody has: then it says None
    answered -- when somebody did there what the letter asked for, or None; that a page was fetched is no answer
    counted -- its visits are counted in a report, so that they stay
    """

    name: str
    path: Callable[[str], str]
    expires: Callable[[Any], Any] = lambda link: None
    answered: Callable[[Any], Any] = lambda link: None
    counted: bool = False


KINDS: dict[str, Kind] = {}
PLANS: dict[tuple[str, str], Plan] = {}  # by kind and step
ANCHORS: dict[str, Anchor] = {}
RECIPIENTS: dict[str, RecipientKind] = {}
PURPOSES: dict[str, LinkPurpose] = {}
OPEN: list[Callable[[Any], Iterable[Open]]] = []
LOOKS: list[Callable[[Any], None]] = []
NUMBERS: dict[str, Callable[[list], dict[int, int]]] = {}
WITHOUT_ADDRESS: dict[str, Callable[[Any, Any], Iterable[tuple[str, str]]]] = {}


def mailing(
    kind,
    *,
    label,
    audience,
    template,
    counted=None,
    months_before=None,
    days_before=None,
    days_after=None,
    hour=9,
    latest=None,
    pointless_after="",
    lapses=False,
    unless_later="",
    outlives=False,
    step="",
    per_meeting=False,
    planned=None,
    link=None,
    unsubscribe=None,
    resends=1,
    rewrite=None,
    tells=None,
    order=10,
):
    """Register a mailing of the default timetable; decorates `recipients(mailing)`, its whole audience.

    months_before, days_before, days_after -- (anchor, number); one of them
    latest -- (anchor, days before it), or None
    step -- names the offset where one kind goes more than once: "7 days", "48 hours"
    rewrite -- the kind's Recipient for "send again"; without it the audience is asked for the same person
    The rest as in Plan and Kind.
    """
    anchor, months, days = _offset(months_before, days_before, days_after)
    latest_anchor, latest_days = latest or ("", None)

    def register(recipients):
        KINDS[kind] = Kind(kind, label, template, link, unsubscribe, Priority.BULK, resends, rewrite or _ask_audience)
        PLANS[kind, step] = Plan(
            kind,
            step,
            audience,
            recipients,
            anchor=anchor,
            months=months,
            days=days,
            hour=hour,
            latest_anchor=latest_anchor,
            latest_days=latest_days,
            pointless_after=pointless_after or "",
            unless_later=unless_later,
            per_meeting=per_meeting,
            planned=planned,
            order=order,
            counted=counted,
            lapses=lapses,
            outlives=outlives,
            tells=tells,
        )
        return recipients

    return register


def correction(kind, *, corrects, label, audience, template, counted=None, link=None, unsubscribe=None):
    """Register the mailing that sets right what mailings of these kinds have told; decorates `recipients(mailing)`.

    It is never planned: `corrections` proposes it when a date changes, and staff decide. It tells what they tell.
    """

    def register(recipients):
        KINDS[kind] = Kind(kind, label, template, link, unsubscribe, Priority.BULK, rewrite=_ask_audience)
        PLANS[kind, ""] = Plan(
            kind,
            "",
            audience,
            recipients,
            planned=lambda series: False,
            counted=counted,
            corrects=tuple(corrects),
        )
        return recipients

    return register


def announcement(
    kind, *, instead_of, tells, because, label, audience, template, counted=None, link=None, unsubscribe=None
):
    """Register the mailing that tells one changed date in words of its own, and to others too, where a correction of
    the kind `instead_of` would have told it; decorates `recipients(mailing)`.

    It is never planned either: the room above asks for it (`corrections.announce`), and staff decide.
    """

    def register(recipients):
        KINDS[kind] = Kind(kind, label, template, link, unsubscribe, Priority.BULK, rewrite=_ask_audience)
        PLANS[kind, ""] = Plan(
            kind,
            "",
            audience,
            recipients,
            planned=lambda series: False,
            counted=counted,
            tells=tells,
            instead_of=instead_of,
            because=because,
        )
        return recipients

    return register


def correction_of(kind):
    """The line that sets mailings of this kind right, or None."""
    return next((line for line in PLANS.values() if kind in line.corrects), None)


def _offset(months_before, days_before, days_after):
    given = [offset for offset in (months_before, days_before, days_after) if offset]
    if len(given) != 1:
        raise ValueError("A mailing has exactly one of months_before, days_before and days_after.")
    anchor, number = given[0]
    if months_before:
        return anchor, number, 0
    return anchor, 0, number if days_before else -number


def _ask_audience(letter):
    """The letter's person as the audience describes them today, or None when they have left it."""
    if letter.mailing is None:
        return None
    for recipient in plan_of(letter.mailing).recipients(letter.mailing):
        if (recipient.kind, str(recipient.id)) == (letter.recipient_kind, letter.recipient_id):
            return recipient
    return None


def occasion(kind, *, label, template, link=None, unsubscribe=None, priority=Priority.NOW, resends=1, rewrite=None):
    """Register a letter to one person that something they did calls for: a receipt, a link, an answer."""
    KINDS[kind] = Kind(kind, label, template, link, unsubscribe, priority, resends, rewrite)


def anchor(name, label, *, too_late=False, by_meeting=False, every=None):
    """Register a date that mailings may hang on; decorates `find(series, meeting) -> aware datetime | None`."""
    return partial(_register_anchor, name, label, too_late, by_meeting, every)


def _register_anchor(name, label, too_late, by_meeting, every, find):
    ANCHORS[name] = Anchor(name, label, find, too_late, by_meeting, every)
    return find


def open_at(find):
    """Register what a room would have open at an instant; decorates `find(instant) -> Open, Open, ...`."""
    OPEN.append(find)
    return find


def looked_at(look):
    """Register how a room looks for troubles of its own, at each look of whoever watches; decorates `look(now)`, which
    opens and ends alarms (`watch.alarm`, `watch.ended`)."""
    LOOKS.append(look)
    return look


def recipient(kind, **asked):
    """Register what mail asks about a kind of recipient: see RecipientKind, whose functions may each be left out."""
    RECIPIENTS[kind] = RecipientKind(**asked)


def link_purpose(name, *, path, expires=None, answered=None, counted=False):
    """Register where personal links of one purpose lead: `path(token) -> str`; the others are given the link and say
    an instant or None. The rest as in LinkPurpose."""
    asked = {"expires": expires, "answered": answered}
    PURPOSES[name] = LinkPurpose(name, path, **{what: fn for what, fn in asked.items() if fn}, counted=counted)


def without_address(*kinds):
    """Register whom mailings of these kinds should reach and cannot, for want of an address; decorates
    `find(mailing, now) -> (kind, id), ...`. They are no recipients, and must not be forgotten for that."""

    def register(find):
        WITHOUT_ADDRESS.update(dict.fromkeys(kinds, find))
        return find

    return register


def number_of(*kinds):
    """Register how many people mailings of these kinds go to, for a page that shows many: decorates `count(mailings)`,
    which gives {mailing's key: number} as its audience would, in the same few queries for one and for fifty."""

    def register(count):
        NUMBERS.update(dict.fromkeys(kinds, count))
        return count

    return register


def find_plan(kind, step):
    """The line of the timetable, or None. Corrections of one kind are numbered, and share one line."""
    return PLANS.get((kind, step)) or PLANS.get((kind, ""))


def plan_of(mailing):
    return PLANS.get((mailing.kind, mailing.step)) or PLANS[mailing.kind, ""]


def recipient_kind(name):
    return RECIPIENTS.get(name) or RecipientKind()
