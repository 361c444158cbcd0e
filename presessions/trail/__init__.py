"""Who did what, when and why: beside each step, never changed. Room: trail, basement; imports only the vault."""

from presessions.trail.steps import note_refusal


def record(subject, code, *, now, by=None, refused=False, reason=""):
    """Add an Event about a row of ours, in the caller's transaction; return it.

    subject -- a model's row; it is named by its `reference` where it has one, else by its key
    code -- a short word such as "submitted"; facts about people do not belong in it
    by -- the member of staff, or None for the person concerned and for the clock
    reason -- free text; kept encrypted and erasable, apart from the event
    """
    from presessions.trail.models import Event

    event = _write(Event.of(subject, code, now=now, by=by, refused=refused), reason)
    if refused:
        note_refusal(event, reason)
    return event


def again(event, reason):
    """Write an event once more if it was undone with the transaction in which it was written."""
    from presessions.trail.models import Event

    if not Event.objects.filter(pk=event.pk, nonce=event.nonce).exists():
        event.pk = None
        _write(event, reason)


def move(rows, facts, subject, code, *, now, by=None, reason=""):
    """UPDATE what a guarded queryset fits, one row or none, and add an Event like `record` if it fitted one, in one
    statement. Returns whether it did.

    facts -- what to write, by the names of fields
    """
    from presessions.trail import moving, signing
    from presessions.trail.models import Event

    event = signing.sign(Event.of(subject, code, now=now, by=by))
    moved = moving.move(rows, facts, event)
    if moved:
        _add_reason(event, reason)
    return moved


def _write(event, reason):
    from presessions.trail import signing

    signing.sign(event).save(force_insert=True)
    _add_reason(event, reason)
    return event


def _add_reason(event, reason):
    from presessions.trail import signing
    from presessions.trail.models import Reason

    if reason:
        signing.sign_reason(Reason(event=event, text=reason)).save(force_insert=True)


def record_all(subjects, code, *, now, by=None):
    """Add an Event like `record` about each of many rows, in one query."""
    from presessions.trail import signing
    from presessions.trail.models import Event

    Event.objects.bulk_create([signing.sign(Event.of(subject, code, now=now, by=by)) for subject in subjects])


def forget_reasons(room, references, *, but=()):
    """Erase why things were done, in people's own words; that they were done stays. Returns how many reasons went.

    room -- the label of the subjects' model; references -- as `record` names them; but -- codes that keep theirs
    """
    from presessions.trail.models import Reason

    about = Reason.objects.filter(event__room=room, event__reference__in=references)
    return about.exclude(event__code__in=but).delete()[0]
