"""When a date changes that a mailing has already told: a correction is proposed, and staff decide. Room: mail.

What a mailing tells is written down with its first letter: Mailing.told = {"at": when, "dates": facts}. Mailings that
one kind of correction sets right are looked at together, by what was told last: nobody gets two corrections of one
date. A proposal is a mailing that is held and has told nothing yet ("at" is empty; "since" is when it was proposed);
never more than one is open, and it goes away by itself when the date comes back, unless its letters are written.

Imports the registry, models and `due`; `writing` and `schedule` import us.
"""

from datetime import datetime

from presessions import trail
from presessions.mail import registry
from presessions.mail.due import Anchors
from presessions.mail.models import Letter, Mailing

State, Held = Mailing.State, Mailing.Held

ARRIVES = (Letter.State.SENT, *Letter.UNSETTLED)  # letters that have told somebody, or will, or may have


def facts(mailing, anchors=None):
    """What its letters would tell now, {what: ISO instant, "" while unknown, or OFF}; None if they tell no date."""
    told = mailing.corrects if mailing.corrects_id else mailing
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


def is_out_of_date(mailing, anchors):
    """Whether letters of it that are written tell what is not so any more."""
    return bool(_told_at(mailing)) and _dates(mailing) != facts(mailing, anchors)


# --- For the texts of corrections -------------------------------------------------------------------------------------


def changes(correction, now):
    """What has changed since people were told: {what: the instant they were told, or None if it was unknown}."""
    family = list(Mailing.objects.filter(series=correction.series_id, meeting=correction.meeting_id))
    line = registry.plan_of(correction)
    last = _told_last(line, _have_told(mailing for mailing in family if mailing.pk != correction.pk))
    wrong = _wrong(_dates(last), facts(correction) or {}, now) if last else {}
    return {what: was and datetime.fromisoformat(was) for what, was in wrong.items()}


def reached(correction):
    """(kind, id) of everybody who was told what is wrong now: a set. Letters written since the change told it right."""
    kinds = registry.plan_of(correction).corrects
    gone = Mailing.objects.filter(
        series=correction.series_id, meeting=correction.meeting_id, kind__in=kinds, writing_at__isnull=False
    )
    since = datetime.fromisoformat(correction.told["since"])  # not due_at: staff may have moved that
    letters = Letter.objects.filter(mailing__in=gone, state__in=ARRIVES, created_at__lte=since)
    return set(letters.values_list("recipient_kind", "recipient_id"))


# --- Proposing --------------------------------------------------------------------------------------------------------


def follow(mailings, anchors, now):
    """Propose, change or take back corrections of one series. Returns (what was corrected, correction) for each that
    has changed.

    mailings -- all of the series, locked
    """
    families, told = {}, _have_told(mailings)
    for mailing in mailings:
        line = registry.correction_of(mailing.kind) or registry.find_plan(mailing.kind, mailing.step)
        if line and line.corrects:
            families.setdefault((line.kind, mailing.meeting_id), []).append(mailing)
    done = [_follow(registry.PLANS[kind, ""], family, told, anchors, now) for (kind, _), family in families.items()]
    return [pair for pair in done if pair]


def _follow(line, family, told, anchors, now):
    gone = [mailing for mailing in family if mailing in told]
    last = _told_last(line, gone)
    if last is None:
        return None
    corrections = [mailing for mailing in family if mailing.kind == line.kind]
    proposal = next((one for one in corrections if one not in told and one.state != State.CANCELLED), None)
    if proposal and proposal.writing_at:
        return None  # staff are looking at its letters; `plan` holds them when they tell what is not so any more
    root = max((mailing for mailing in gone if mailing.kind != line.kind), key=_told_at, default=last.corrects)
    known = facts(root, anchors)
    refused = [_dates(one) for one in corrections if one not in told and one.state == State.CANCELLED]
    if not _wrong(_dates(last), known, now) or known in refused:
        return _take_back(root, proposal)
    if proposal is None:
        return root, _propose(line, root, known, len(corrections) + 1, now)
    if _dates(proposal) != known or proposal.state == State.NOT_NEEDED:
        # What staff have looked at, or released, is not what it would say now: they are asked again.
        _propose_again(proposal, root, known, now)
        return root, proposal
    return None


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


def _propose(line, root, known, number, now):
    correction = Mailing.objects.create(
        kind=line.kind,
        series=root.series,
        meeting=root.meeting,
        step=str(number),
        corrects=root,
        state=State.HELD,
        held_reason=Held.PROPOSED,
        due_at=now,
        told=_proposal(known, now),
    )
    trail.record(correction, "proposed", now=now)
    return correction


def _proposal(known, now):
    return {"at": "", "since": now.isoformat(), "dates": known}


def _take_back(root, proposal):
    """Nothing is wrong any more, or staff have refused to say it: an open proposal is not needed."""
    if proposal is None or proposal.state == State.NOT_NEEDED:
        return None
    proposal.state, proposal.held_reason = State.NOT_NEEDED, ""
    proposal.save(update_fields=["state", "held_reason"])
    return root, proposal


def _propose_again(proposal, root, known, now):
    asked = {"state": State.HELD, "held_reason": Held.PROPOSED, "due_at": now, "moved_to": None, "resumed_at": None}
    told = {"told": _proposal(known, now), "corrects": root}
    for name, value in {**asked, **told, **Mailing.UNAPPROVED}.items():
        setattr(proposal, name, value)
    proposal.save()
    trail.record(proposal, "proposed", now=now)
