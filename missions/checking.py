"""Once a year each mission is asked whether what we have of it is right. Room: missions.

Staff send the question; a letter brings a link, and its page takes one of two answers. "All is right" is noted at once.
Changes wait until staff have looked at them: whoever holds a link must not be able to turn a mission's mail elsewhere.
"""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from missions import keeping
from missions.keeping import Difference
from missions.models import MissionAddress, PermanentMission, RegisterCheck
from presessions import trail, vault
from presessions.mail import outbox, registry
from presessions.mail.registry import Recipient
from presessions.trail.steps import WrongStep
from presessions.upr.dates import closes_after, day_of

KIND = "register_check"
A_YEAR = timedelta(days=365)
OPENS_FOR = timedelta(days=90)  # the link of the letter
Status = RegisterCheck.Status
TAKES_ANSWERS = (Status.ASKED, Status.SAME, Status.CHANGES)


@dataclass(frozen=True)
class Wanted:
    """What a mission asks us to change.

    gone -- keys of the addresses that are no longer its own; new -- [[address, role]], in order
    language -- of its letters, and form -- of address in that language; "" where nothing changes
    """

    gone: tuple = ()
    new: tuple = ()
    language: str = ""
    form: str = ""

    def __bool__(self):
        return bool(self.gone or self.new or self.language or self.form)

    def as_text(self):
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)


def wanted(check):
    """What stands in the answer to a check."""
    said = json.loads(check.answer) if check.answer else {}
    gone, new = tuple(said.pop("gone", ())), tuple(map(tuple, said.pop("new", ())))
    return Wanted(gone, new, **said)


# --- Asking -----------------------------------------------------------------------------------------------------------


def not_checked(now):
    """Missions that can be written to, and have not said for a year that all is right, or had it set right."""
    old = Q(checked_at=None) | Q(checked_at__lte=now - A_YEAR)
    return PermanentMission.objects.reachable(day_of(now)).filter(old)


def to_ask(missions, now):
    """Those of the missions that can be written to, and have not been asked this year."""
    asked = RegisterCheck.objects.filter(year=day_of(now).year)
    return missions.reachable(day_of(now)).exclude(pk__in=asked.values("mission"))


def to_settle():
    return RegisterCheck.objects.filter(status=Status.CHANGES)


def ask(missions, *, by, now):
    """Ask those of the missions that are to be asked; returns how many. Two clicks are one question."""
    year = day_of(now).year
    with transaction.atomic():
        those = list(to_ask(missions, now))
        checks = [RegisterCheck(mission=mission, year=year, asked_at=now) for mission in those]
        RegisterCheck.objects.bulk_create(checks, ignore_conflicts=True)
        made = RegisterCheck.objects.filter(reference__in=[check.reference for check in checks])
        made = list(made.select_related("mission__state").prefetch_related("mission__addresses"))
        for check in made:
            outbox.put(kind=KIND, key=f"{KIND}:{check.reference}", recipient=_recipient(check, now), now=now)
        trail.record_all(made, "asked", now=now, by=by)
        trail.record_all([check.mission for check in made], "check_asked", now=now, by=by)
    return len(made)


def _recipient(check, now):
    """Who is asked: the mission, at its first valid address; None where there is none."""
    address = next((one for one in check.mission.addresses.all() if one.is_valid_on(day_of(now))), None)
    return address and Recipient(
        kind="mission",
        id=str(check.mission_id),
        to=address.email,
        language=check.mission.language,
        context={"mission": check.mission, "until": _last_day(check.asked_at)},
        link_target=check.reference,
    )


def _last_day(asked_at):
    """On which the link still opens."""
    return day_of(asked_at) + OPENS_FOR


def _again(letter):
    """For "send again", and for the next address: as long as nobody has answered."""
    reference = letter.key.split(":")[1].split("/")[0]
    check = RegisterCheck.objects.filter(reference=reference, status=Status.ASKED).select_related("mission__state")
    check = check.first()
    return check and _recipient(check, timezone.now())


def _expires(link):
    asked_at = RegisterCheck.objects.filter(reference=link.target_id).values_list("asked_at", flat=True).first()
    return asked_at and closes_after(_last_day(asked_at))


def _answered(link):
    return RegisterCheck.objects.filter(reference=link.target_id).values_list("answered_at", flat=True).first()


registry.occasion(
    KIND,
    label=gettext_lazy("check of the register"),
    template="mail/register_check",
    link=KIND,
    priority=registry.Priority.BULK,
    rewrite=_again,
)
registry.link_purpose(
    KIND, path=lambda token: reverse("missions:register_check", args=[token]), expires=_expires, answered=_answered
)


# --- The mission answers ----------------------------------------------------------------------------------------------


def say_same(check, *, now):
    """All is right. True when that is news. Raises WrongStep once staff have settled the check."""
    return _answer(check, Status.SAME, "", now)


def say_changes(check, said, *, now):
    """Some things are to be changed; said -- Wanted. As `say_same`."""
    return _answer(check, Status.CHANGES, said.as_text(), now)


def _answer(check, status, answer, now):
    """Kept once, however often it is sent. Another answer takes its place until staff have settled it."""
    with transaction.atomic():
        row = RegisterCheck.objects.select_for_update().get(pk=check.pk)
        late = row.status not in TAKES_ANSWERS
        news = (row.status, row.answer) != (status, answer)
        if late:
            trail.record(row, status, now=now, refused=True)
        elif news:
            RegisterCheck.objects.filter(pk=row.pk).update(status=status, answer=answer, answered_at=now)
            if status == Status.SAME:
                PermanentMission.objects.filter(pk=row.mission_id).update(checked_at=now)
            trail.record(row, status, now=now)
            trail.record(check.mission, f"check_{status}", now=now)
    if late:  # outside the block: a refusal must not undo its own event
        raise WrongStep(_("This check is settled already."))
    check.refresh_from_db(fields=["status", "answer", "answered_at"])
    return news


# --- Staff settle it --------------------------------------------------------------------------------------------------


def differences(check):
    """What taking the changes over would do now, in words: a list of Difference. Of a settled check, what was asked."""
    settled = check.status not in TAKES_ANSWERS
    said, mission, addresses = wanted(check), check.mission, list(check.mission.addresses.all())
    told = []
    for one in addresses:
        if one.pk in said.gone:
            told.append(Difference(_("no longer theirs"), f"{one.email} ({one.get_role_display()})", ""))
    for email, role in said.new:
        there = _there(addresses, email)
        before = f"{email} ({there.get_role_display()})" if there else ""
        told.append(Difference(_("new address"), before, f"{email} ({MissionAddress.Role(role).label})"))
    languages = dict(settings.MAIL_LANGUAGES)
    if said.language and (settled or said.language != mission.language):
        before, after = languages[mission.language], languages[said.language]
        told.append(Difference(_("language of letters"), str(before), str(after)))
    name = _form_of(said, mission)
    if said.form and (settled or said.form != getattr(mission, name)):
        what = PermanentMission._meta.get_field(name).verbose_name
        told.append(Difference(str(what), getattr(mission, name), said.form))
    return told


def take_over(check, *, by, now, reason=""):
    """Change the register as the mission asks. Raises WrongStep, as when a colleague was faster, or the mission has
    answered anew since this check was read: what is taken over is what was shown."""
    _settle(check, Status.TAKEN_OVER, by=by, now=now, reason=reason, do=_change)


def leave(check, *, by, now, reason=""):
    """Leave the register as it is; the reason says why. Raises WrongStep."""
    if not reason.strip():
        trail.record(check, Status.LEFT, now=now, by=by, refused=True)
        raise WrongStep(_("Please say why the changes are not taken over."))
    _settle(check, Status.LEFT, by=by, now=now, reason=reason)


def _settle(check, status, *, by, now, reason, do=None):
    shown = check.answer
    with transaction.atomic():
        row = RegisterCheck.objects.select_for_update().get(pk=check.pk)
        waits, same = row.status == Status.CHANGES, row.answer == shown
        moved = waits and same
        if moved:
            facts = {"status": status, "settled_at": now, "settled_by": by}
            RegisterCheck.objects.filter(pk=check.pk, status=Status.CHANGES).update(**facts)
        check.refresh_from_db()
        trail.record(check, status, now=now, by=by, refused=not moved, reason=reason)
        if moved:
            trail.record(check.mission, f"check_{status}", now=now, by=by, reason=reason)
            if do:
                do(check, by, now)
    if waits and not same:  # outside the block: a refusal must not undo its own event
        raise WrongStep(_("Something has changed since you looked. Please look again."))
    if not moved:
        words = {"status": check.get_status_display()}
        raise WrongStep(_("Nothing waits here any more: the check is “%(status)s”.") % words)


def _change(check, by, now):
    said = wanted(check)
    mission = PermanentMission.objects.select_for_update(of=("self",)).with_state().get(pk=check.mission_id)
    codes, yesterday = [], day_of(now) - timedelta(days=1)
    addresses = list(mission.addresses.all())
    for address in addresses:
        if address.pk in said.gone:
            address.valid_until = min(filter(None, (address.valid_until, yesterday)))
            address.save(update_fields=["valid_until"])
            codes.append(keeping.ENDED)
    last = max((one.position for one in addresses), default=0)
    for place, (email, role) in enumerate(said.new, start=last + 1):
        there = _there(addresses, email)
        if there:  # it stands here, perhaps ended or bounced: the mission says that it works
            there.role, there.valid_until, there.bounced_at = role, None, None
            there.save(update_fields=["role", "valid_until", "bounced_at"])
        else:
            mission.addresses.create(email=email, role=role, position=place)
        codes.append(keeping.CHANGED if there else keeping.ADDED)
    facts = {"language": said.language, _form_of(said, mission): said.form}
    facts = {name: value for name, value in facts.items() if value and value != getattr(mission, name)}
    for name, value in {**facts, "checked_at": check.answered_at}.items():
        setattr(mission, name, value)
    mission.save()
    keeping.record(mission, dict.fromkeys([*codes, *keeping.codes_of(facts)]), now=now, by=by)


def _there(addresses, email):
    return next((one for one in addresses if vault.normal_email(one.email) == vault.normal_email(email)), None)


def _form_of(said, mission):
    """The field of the form of address in the language that letters will have."""
    return f"address_form_{said.language or mission.language}"
