"""What staff are asked before a mailing's letters go, or never go: how many, to whom, when. Room: mail."""

from django.utils.translation import gettext as _

from presessions.mail import wording
from presessions.mail.admin.steps import Question
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import in_words

State, Held = Mailing.State, Mailing.Held

MANY = 50  # people: above it, nothing is set going without a question


def before(mailing, step, now):
    """The Question before a step with this mailing, or None when it may be taken at once."""
    ask = ASKED.get(step)
    return ask(mailing, now) if ask else None


def _send_now(mailing, now):
    number = mailing.still_to_go()
    return _question(
        mailing,
        "send_now",
        number,
        _("Send the %(mailing)s to %(people)s now?"),
        [
            _("It goes out at once: %(now)s.") % {"now": in_words(now)},
            _was_to_go(mailing),
            _("The letters leave within seconds, and nobody can call them back."),
        ],
        _("Send now"),
        danger=True,
    )


def _resume(mailing, now):
    number, early = mailing.still_to_go(), _is_early(mailing, now)
    if early and number <= MANY:
        return None
    when = _("It goes out %(at)s.") if early else _("It was to go out %(at)s, and goes out at once.")
    if mailing.due_at is None:
        when = _("It goes out when its date is known.")
    return _question(
        mailing,
        "resume",
        number,
        _("Let the %(mailing)s go to %(people)s?"),
        [when % {"at": mailing.due_at and in_words(mailing.due_at)}, _approved(mailing)],
        _("Let it go"),
        danger=not early,
    )


def _release(mailing, now):
    number = mailing.still_to_go()
    when = _("It goes out %(at)s.") if _is_early(mailing, now) else _("It was to go out %(at)s, and goes out at once.")
    return _question(
        mailing,
        "release",
        number,
        _("Release the %(mailing)s to %(people)s?"),
        [_approved(mailing), when % {"at": mailing.due_at and in_words(mailing.due_at)}],
        _("Release it"),
        danger=True,
    )


def _catch_up(mailing, now):
    number = len(mailing.unwritten(_people(mailing)))
    return _question(
        mailing,
        "catch_up",
        number,
        _("Send the %(mailing)s to %(people)s who have joined since?"),
        [_("It goes out at once: %(now)s.") % {"now": in_words(now)}, _("Nobody gets it twice.")],
        _("Write to them"),
        danger=True,
    )


def _cancel(mailing, now):
    sent = mailing.letters.filter(state=Letter.State.SENT).count()
    return _question(
        mailing,
        "cancel",
        mailing.still_to_go(),
        _("Cancel the %(mailing)s for good?"),
        [
            _("%(people)s would not get it, ever. This cannot be undone; to stop it for a while, hold it."),
            _("%(n)s letters of it have gone and stay sent.") % {"n": sent} if sent else "",
            _was_to_go(mailing),
        ],
        _("Cancel for good"),
        danger=True,
    )


ASKED = {
    "send_now": _send_now,
    "resume": _resume,
    "release": _release,
    "catch_up": _catch_up,
    "cancel": _cancel,
}


def _question(mailing, step, number, title, sentences, button, *, danger):
    words = {"mailing": mailing.label, "people": _people_in_words(mailing, number)}
    due = mailing.due_at and mailing.due_at.isoformat()
    seen = "|".join(map(str, (step, mailing.state, mailing.held_reason, number, due, mailing.approved_at)))
    said = [(sentence % words if "%(" in sentence else sentence) for sentence in sentences if sentence]
    return Question(title % words, [_named(mailing), *said], button, seen, danger, sends=step != "cancel")


def _named(mailing):
    """The series, and the State where there is one: two mailings of one kind must not be taken for each other."""
    return f"{mailing.meeting}, {mailing.series}." if mailing.meeting_id else f"{mailing.series}."


def _people_in_words(mailing, number):
    return _("nobody") if number == 0 else wording.to_whom(mailing, number)


def _people(mailing):
    try:
        return mailing.people()
    except Exception:  # then the step itself says so
        return []


def _is_early(mailing, now):
    return mailing.due_at is None or mailing.due_at > now


def _was_to_go(mailing):
    return _("By its date it goes out %(at)s.") % {"at": in_words(mailing.due_at)} if mailing.due_at else ""


def _approved(mailing):
    if not mailing.is_approved:
        return ""
    return _("Approved by %(who)s, %(at)s.") % {"who": mailing.approved_by, "at": in_words(mailing.approved_at)}
