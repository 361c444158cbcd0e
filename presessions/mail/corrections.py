"""When a date changes that a mailing has already told: a correction is proposed, and staff decide. Room: mail.

What a mailing tells is written down with its first letter: Mailing.told = {"at": when, "dates": facts}. Mailings that
one kind of correction sets right are looked at together, by what was told last: nobody gets two corrections of one
date. A proposal is a mailing that is held and has told nothing yet ("at" is empty; "since" is when it was proposed);
never more than one is open, and it goes away by itself when the date comes back, unless its letters are written.

An announcement is a proposal too, of one date and in words of its own, as when one State's deadline is extended: the
room above asks for it. What it tells, or would, or was to tell until staff refused, no correction tells a second time.
Mailing.told["was"] keeps what people knew before: it goes away once the date is no later than that. One whose "was" is
empty repeats a date and changes none: until it is sent, nobody has read anything in it.

Imports the registry, models and `due`; `writing` and `schedule` import us.
"""

from datetime import datetime

from presessions import trail
from presessions.mail import registry
from presessions.mail.due import Anchors
from presessions.mail.models import Letter, Mailing

State, Held = Mailing.State, Mailing.Held

OPEN_PROPOSAL = {"state": State.HELD, "held_reason": Held.PROPOSED, "writing_at": None}
ARRIVES = (Letter.State.SENT, *Letter.UNSETTLED)  # letters that have told somebody, or will, or may have


def facts(mailing, anchors=None):
    """What its letters would tell now, {what: ISO instant, "" while unknown, or OFF}; None if they tell no date."""
    told, line = mailing, registry.find_plan(mailing.kind, mailing.step)
    if mailing.corrects_id and not (line and line.tells):
        told = mailing.corrects
        line = registry.find_plan(told.kind, told.step)
    if line is None or line.tells is None:
        return None
    anchors = anchors or Anchors([told.series])
    found = line.tells(told, lambda name: anchors.at(name, told))
    return {what: at if isinstance(at, str) else at.isoformat() if at else "" for what, at in found.items()}


def note(mailing):
    """Write down what this mailing tells, before its first letter is written. Those who join later are told what is
    right then; that says nothing of the others, so what is written down stays."""
    if not _told_at(mailing):
        dates = facts(mailing)
        told = dates and {**(mailing.told or {}), "at": mailing.writing_at.isoformat(), "dates": dates}
        Mailing.objects.filter(pk=mailing.pk).update(told=told)


def _told_at(mailing):
    return (mailing.told or {}).get("at")


def _dates(mailing):
    return (mailing.told or {}).get("dates")


def has_told(mailing):
    """Whether letters of it have left, or are about to."""
    return bool(_have_told([mailing]))


def was(announcement):
    """What people knew before an announced change: {what: instant}."""
    return {what: datetime.fromisoformat(at) for what, at in announcement.told["was"].items()}


def only_repeats(mailing):
    """Whether it is an announcement that tells no change: nobody is wrong while it waits."""
    told = mailing.told or {}
    return "was" in told and not told["was"]


def since(proposal):
    """The instant of the change that it tells. Letters written later have told it right."""
    return datetime.fromisoformat(proposal.told["since"])  # not due_at: staff may have moved that


def is_out_of_date(mailing, anchors):
    """Whether letters of it that are written tell what is not so any more."""
    return bool(_told_at(mailing)) and _dates(mailing) != facts(mailing, anchors)


# --- For the texts of corrections -------------------------------------------------------------------------------------


def changes(correction, now, *, announced=True):
    """What has changed since people were told: {what: the instant they were told, or None if it was unknown}.

    announced -- whether what an announcement tells counts as told
    """
    line = registry.plan_of(correction)
    others = Mailing.objects.filter(series=correction.series_id).exclude(pk=correction.pk)
    family = list(others.filter(meeting=correction.meeting_id))
    announcements = _announcements(line, others, correction.meeting_id) if announced else []
    told = _have_told([*family, *announcements])
    known = facts(correction) or {}
    dates = _dates_people_know(_told_last(line, told), announcements, told, known, now)
    return {what: at and datetime.fromisoformat(at) for what, at in _wrong(dates, known, now).items()}


def reached(correction, about=None):
    """(kind, id) of everybody who was told what is wrong now: a set. Letters written since the change told it right.

    about -- of announcements, those that told one of these dates
    """
    line = registry.plan_of(correction)
    gone = Mailing.objects.filter(series=correction.series_id, writing_at__isnull=False)
    told = list(gone.filter(meeting=correction.meeting_id, kind__in=line.corrects))
    for one in _announcements(line, gone, correction.meeting_id):
        if about is None or not about.keys().isdisjoint(_dates(one)):
            told.append(one)
    return set(told_by(told, until=since(correction)))


def told_by(mailings, *, until=None):
    """(kind, id) of everybody whom letters of these mailings have told something, or will, or may have.

    until -- those of letters written by then
    """
    letters = Letter.objects.filter(mailing__in=mailings, state__in=ARRIVES)
    letters = letters.filter(created_at__lte=until) if until else letters
    return letters.values_list("recipient_kind", "recipient_id")


def _announcements(line, mailings, meeting_id):
    """Those that tell what corrections of this line would; of one meeting, or, of a whole series, of all."""
    found = mailings.filter(kind__in=[one.kind for one in registry.PLANS.values() if one.instead_of == line.kind])
    return list(found.filter(meeting=meeting_id) if meeting_id else found)


# --- Proposing --------------------------------------------------------------------------------------------------------


def follow(mailings, anchors, now):
    """Propose, change or take back corrections of one series. Returns (what was corrected, correction) for each that
    has changed.

    mailings -- all of the series, locked
    """
    families, told, announcements = {}, _have_told(mailings), {}
    for mailing in mailings:
        line = registry.correction_of(mailing.kind) or registry.find_plan(mailing.kind, mailing.step)
        if line and line.corrects:
            families.setdefault((line.kind, mailing.meeting_id), []).append(mailing)
        if line and line.instead_of:
            announcements.setdefault(line.instead_of, []).append(mailing)
    done = [_follow_announcement(one, told, anchors, now) for those in announcements.values() for one in those]
    for (kind, meeting_id), family in families.items():
        about = [one for one in announcements.get(kind, ()) if meeting_id in (None, one.meeting_id)]
        done.append(_follow(registry.PLANS[kind, ""], family, about, told, anchors, now))
    return [pair for pair in done if pair]


def _follow(line, family, announcements, told, anchors, now):
    gone = [mailing for mailing in family if mailing in told]
    last = _told_last(line, gone)
    gone_too = [one for one in announcements if one in told]
    if last is None and not gone_too:
        return None
    corrections = [mailing for mailing in family if mailing.kind == line.kind]
    proposal = next((one for one in corrections if one not in told and one.state != State.CANCELLED), None)
    if proposal and proposal.writing_at:
        return None  # staff are looking at its letters; `plan` holds them when they tell what is not so any more
    roots = [mailing for mailing in gone if mailing.kind != line.kind]
    root = max(roots or gone_too, key=_told_at, default=last and last.corrects)
    known = facts(root, anchors)
    refused = [_dates(one) for one in corrections if one not in told and one.state == State.CANCELLED]
    dates = _dates_people_know(last, announcements, told, known, now)
    if not _wrong(dates, known, now) or known in refused:
        return _take_back(root, proposal)
    if proposal is None:
        return root, _propose(line.kind, root, _proposal(known, now), family[0].meeting, len(corrections) + 1, now)
    if _dates(proposal) != known or proposal.state == State.NOT_NEEDED:
        # What staff have looked at, or released, is not what it would say now: they are asked again.
        _propose_again(proposal, root, _proposal(known, now), now)
        return root, proposal
    return None


def _dates_people_know(last, announcements, told, known, now):
    """What was told last, and what announcements have told since: {what: ISO instant}. Of those that are only proposed,
    and of those that staff have refused, what they tell counts as told, so that it is told by nothing else."""
    dates = dict(_dates(last)) if last else {}
    told_at = _told_at(last) if last else None
    for one in sorted(announcements, key=lambda one: datetime.fromisoformat(_told_at(one) or one.told["since"])):
        at = _told_at(one) if one in told else one.told["since"]
        if told_at and datetime.fromisoformat(at) <= datetime.fromisoformat(told_at):
            continue  # people have read something newer
        if one in told:
            dates |= _dates(one)
        elif only_repeats(one):
            continue
        elif one.state == State.CANCELLED:
            dates |= {what: at for what, at in _dates(one).items() if known.get(what) == at}
        elif one.state != State.NOT_NEEDED and _is_later(one, known, now):
            dates |= {what: known[what] for what in _dates(one)}
    return dates


# --- Announcements ----------------------------------------------------------------------------------------------------


def announce(kind, meeting, *, corrects, was, now):
    """Propose to tell of a change of one meeting, in the transaction that makes it; returns the mailing. An open
    proposal is kept, and follows the dates; what people know is still what they knew before that.

    corrects -- the mailing that would have told the right date; was -- {what: instant before the change}
    """
    those = Mailing.objects.with_series().filter(kind=kind, series=corrects.series, meeting=meeting)
    those = list(those.select_for_update(of=("self",)).order_by("pk"))
    newest, told = those[-1] if those else None, _have_told(those)
    if newest and newest not in told and newest.state not in (State.CANCELLED, State.NOT_NEEDED):
        return newest
    if newest and newest not in told and newest.state == State.CANCELLED:
        before = newest.told["was"]  # nobody has been told what was refused
    else:
        before = {what: at.isoformat() for what, at in was.items()}
    if newest and newest.state == State.NOT_NEEDED:
        _propose_again(newest, corrects, _proposal(None, now, was=before), now)
        proposal = newest
    else:
        number = len(those) + 1
        proposal = _propose(kind, corrects, _proposal(None, now, was=before), meeting, number, now)
    proposal.told["dates"] = facts(proposal)
    proposal.save(update_fields=["told"])
    return proposal


def take_back(announcement, *, now):
    """What it was proposed for is not so any more. Nothing happens once staff have let it go, or refused it."""
    moved = Mailing.objects.filter(pk=announcement.pk, **OPEN_PROPOSAL).update(state=State.NOT_NEEDED, held_reason="")
    if moved:
        trail.record(announcement, "suggestion_ended", now=now)


def _follow_announcement(announcement, told, anchors, now):
    """Change an open one with the date that it tells, or take it back when there is nothing left to tell."""
    closed = (State.CANCELLED, State.NOT_NEEDED)
    if announcement in told or announcement.state in closed or announcement.writing_at:
        return None
    known = facts(announcement, anchors)
    if not _is_later(announcement, known, now):
        return _take_back(announcement.corrects, announcement)
    if _dates(announcement) != known:
        proposal = _proposal(known, now, was=announcement.told["was"])
        _propose_again(announcement, announcement.corrects, proposal, now)
        return announcement.corrects, announcement
    return None


def _is_later(announcement, known, now):
    """Whether there is still more time than people knew of; for one that repeats a date, whether that lies ahead."""
    knew = {what: datetime.fromisoformat(at) for what, at in announcement.told["was"].items()}
    for what in {**_dates(announcement), **knew}:
        at = known.get(what, registry.OFF)
        if at in ("", registry.OFF) or datetime.fromisoformat(at) <= max(now, knew.get(what, now)):
            return False
    return True


# --- What was told, and what is wrong with it -------------------------------------------------------------------------


def _told_last(line, told):
    """Of the mailings that this line corrects, and its own, the one that people read last; None before any."""
    kinds = (line.kind, *line.corrects)
    return max((mailing for mailing in told if mailing.kind in kinds), key=_told_at, default=None)


def _have_told(mailings):
    """Those of which letters have left, or are about to: not while they are only written, to be looked at, nor when
    they were cancelled before any left. A set."""
    written = {mailing for mailing in mailings if _told_at(mailing) and not mailing.is_frozen}
    cancelled = {mailing for mailing in written if mailing.state == State.CANCELLED}
    letters = Letter.objects.filter(mailing__in=cancelled, state__in=ARRIVES)
    some_left = set(letters.values_list("mailing", flat=True))
    return written - {mailing for mailing in cancelled if mailing.pk not in some_left}


def _wrong(told, known, now):
    """What was told and is not so any more, {what: ISO instant told or ""}. A date that was unknown and has been set
    was told right, and what lies behind us either way concerns nobody."""
    wrong = {}
    for what, was in told.items():
        is_now = known.get(what, registry.OFF)
        if is_now == was or (was == "" and is_now != registry.OFF):
            continue
        ahead = [at for at in (was, is_now) if at == "" or (at != registry.OFF and datetime.fromisoformat(at) > now)]
        if ahead:
            wrong[what] = "" if was == registry.OFF else was
    return wrong


def _propose(kind, root, told, meeting, number, now):
    correction = Mailing.objects.create(
        kind=kind,
        series=root.series,
        meeting=meeting,
        step=str(number),
        corrects=root,
        state=State.HELD,
        held_reason=Held.PROPOSED,
        due_at=now,
        told=told,
    )
    trail.record(correction, _code(correction), now=now)
    return correction


def _proposal(known, now, **more):
    return {"at": "", "since": now.isoformat(), "dates": known, **more}


def _take_back(root, proposal):
    """Nothing is wrong any more, or staff have refused to say it: an open proposal is not needed."""
    if proposal is None or proposal.state == State.NOT_NEEDED:
        return None
    proposal.state, proposal.held_reason = State.NOT_NEEDED, ""
    proposal.save(update_fields=["state", "held_reason"])
    return root, proposal


def _propose_again(proposal, root, told, now):
    asked = {"state": State.HELD, "held_reason": Held.PROPOSED, "due_at": now, "moved_to": None, "resumed_at": None}
    told = {"told": told, "corrects": root}
    for name, value in {**asked, **told, **Mailing.UNAPPROVED}.items():
        setattr(proposal, name, value)
    proposal.save()
    trail.record(proposal, _code(proposal), now=now)


def _code(proposal):
    """What the trail calls it: one that changes nothing was not proposed because a date changed."""
    return "suggested" if only_repeats(proposal) else "proposed"
