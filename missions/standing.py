"""How a meeting stands, in a few letters, so that the key of a letter says what it told. Room: missions.

A letter about one meeting has the key "<kind>:<the meeting's uid>:<stand>:...", one about several
"mission_meetings:<number of the series>:<State and stand, one after the other>:...". A stand is six letters: three for
the hour, or that the meeting is off; three for the place.
"""

import hashlib
from base64 import urlsafe_b64encode

from django.db.models import Q

from missions.models import Reply
from presessions.mail import corrections
from presessions.mail.models import Letter

SEVERAL = "mission_meetings"
STATE, HALF = 2, 3  # letters: of a State's code, of each half of a stand


def stand(meeting, *, for_missions=True):
    """How a meeting stands now. An applicant's letter says nothing of the way in online, so that it does not count."""
    if not meeting.goes_ahead or not meeting.starts_at:
        return _few("off") + _few("")
    link = meeting.online_link if for_missions else ""
    return _few(int(meeting.starts_at.timestamp())) + _few(
        meeting.room, link, meeting.series.venue, meeting.series.format
    )


def _few(*facts):
    return urlsafe_b64encode(hashlib.sha256(repr(facts).encode()).digest())[:HALF].decode()


def hour_of(one):
    return one[:HALF]


def key_of_several(meetings):
    """How the key begins of a letter about several meetings of one series."""
    said = "".join(f"{meeting.state.pk}{stand(meeting)}" for meeting in meetings)
    return f"{SEVERAL}:{meetings[0].series.number}:{said}:"


def told_by(key):
    """{State: stand} of a letter about several meetings."""
    said = key.split(":")[2]
    parts = [said[at : at + STATE + 2 * HALF] for at in range(0, len(said), STATE + 2 * HALF)]
    return {part[:STATE]: part[STATE:] for part in parts}


def told_last(meeting, kinds, *, several=False):
    """{id of a person: the stand that their last letter told of a meeting}.

    kinds -- of letters about one meeting; several -- whether those about several count too
    """
    of_these = Q()
    for kind in kinds:
        of_these |= Q(key__startswith=f"{kind}:{meeting.uid}:")
    if several:
        of_these |= Q(key__startswith=f"{SEVERAL}:{meeting.series.number}:")
    letters = Letter.objects.filter(of_these, state__in=corrections.ARRIVES).order_by("pk")
    found = {}
    for person, kind, key in letters.values_list("recipient_id", "kind", "key"):
        said = told_by(key).get(meeting.state.pk) if kind == SEVERAL else key.split(":")[2]
        if said:
            found[person] = said
    return found


def knows_by_its_page(meeting, at):
    """Whether a mission that answered at that instant saw the meeting as it stands."""
    changes = [one for one in (meeting.hour_changed_at, meeting.place_changed_at) if one]
    return bool(changes) and at > max(changes)


def hour_is_news(meeting, at, said):
    """Whether the hour of a meeting, or that it is off, is news to a mission.

    at -- when it answered; said -- the stand that its last letter told, or None
    """
    changed = meeting.hour_changed_at and at <= meeting.hour_changed_at
    return bool(changed) and not (said and hour_of(said) == hour_of(stand(meeting)))


def is_news(meeting, answer, at, said):
    """Whether a mission that has answered so has to be told how a meeting stands. Another place, or that it is off,
    concerns nobody who does not come."""
    if meeting.goes_ahead and not meeting.starts_at:
        return False
    other_hour = hour_is_news(meeting, at, said)
    if answer == Reply.Answer.NO:
        return other_hour and meeting.goes_ahead
    place = meeting.goes_ahead and meeting.place_changed_at and at <= meeting.place_changed_at
    return other_hour or bool(place and said != stand(meeting))
