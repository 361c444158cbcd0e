"""Until when an application may be changed: all of its State, it alone, or only what staff have asked about.
Room: applications.

A part of Application, and of its queryset: what a page says of an open door and what the guard of a step lets through
stand side by side here, and are the same.
"""

from datetime import UTC

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from applications import rules
from applications.models.asked import InformationRequest
from applications.models.calls import StateCall
from applications.models.parts import Attachment
from presessions.upr import dates


class DeadlinesQuerySet(models.QuerySet):
    """Conditions that name no table but the application's own, so that an UPDATE guarded by them looks once more at a
    row for which it had to wait."""

    def open(self, now, opened_at=None):
        """In which everything may be changed: the call for their State is open, or they alone have more time.

        opened_at -- when a form was opened that asks: before the deadline, it has an hour more
        """
        return self.filter(
            Q(state_call__in=StateCall.objects.open(now, opened_at).values("pk"))
            | Q(
                late_until__gt=rules.counts_as(now, opened_at),
                state_call__in=StateCall.objects.taking_place().values("pk"),
            )
        )

    def asked_about(self, section, now, opened_at=None):
        """Of which staff have asked for more in this section, while it is open."""
        asked = InformationRequest.objects.open(now, opened_at).filter(sections__contains=[section])
        return self.filter(
            pk__in=asked.values("application"), state_call__in=StateCall.objects.taking_place().values("pk")
        )

    def to_replace(self, now):
        """Sent and undecided, with a UPR submission that was refused so lately that another one is still taken. The
        same rule as `replace_until`."""
        files = Attachment.objects.filter(application=OuterRef("pk"), kind=Attachment.Kind.UPR_SUBMISSION)
        newest = files.order_by("-version")
        return (
            self.undecided()
            .annotate(
                last_state=Subquery(newest.values("state")[:1]), last_at=Subquery(newest.values("checked_at")[:1])
            )
            .filter(last_state=Attachment.State.REFUSED, last_at__gt=now - rules.REPLACE_FOR)
            .filter(state_call__in=StateCall.objects.taking_place().values("pk"))
        )


class Deadlines:
    """Mixed into Application."""

    # Of one visit, not kept here: see `applicants_page`.
    opened_at = None  # when this session opened the form; before the deadline, it has an hour more
    by = None  # the member of staff whose session it is, who enters it for somebody

    @property
    def deadline(self):
        """The first instant too late for this application: its State's, or its own where that is later; None while
        nobody has set one."""
        return max(filter(None, [self.state_call.deadline, self.late_until]), default=None)

    @property
    def deadline_in_words(self):
        """The deadline as people say it, "23:59"; "" while nobody has set it."""
        return dates.last_minute_words(self.deadline) if self.deadline else ""

    def can_change(self, now, section=None):
        """Whether all answers and the file may be saved, and a draft be sent; given a section, whether that may."""
        if self.status not in self.EDITABLE:
            return False
        return self._is_open(self._read_at(now), self.opened_at) or (bool(section) and section in self.asked_about(now))

    def _is_open(self, at, opened_at=None):
        """The same rule as the queryset's `open`."""
        if self.state_call.is_open(at, opened_at):
            return True
        late = self.late_until and rules.counts_as(at, opened_at) < self.late_until
        return bool(late and self.meeting.goes_ahead)

    def request(self, now):
        """What staff ask for now, with sections open for it; None where they ask for nothing, or time is over."""
        if self.status != self.Status.SUBMITTED or not self.meeting.goes_ahead:
            return None
        at = rules.counts_as(now, self.opened_at)
        return next((one for one in self.requests.all() if one.ended_at is None and at < one.until), None)

    def asked_about(self, now):
        """Names of the sections that are open because staff have asked about them. The same rule as the queryset's."""
        request = self.request(now)
        return set(request.sections) if request else set()

    def can_send_file(self, now):
        """Whether a UPR submission is taken: while everything is, while staff ask for one, and a few days in the place
        of a refused one."""
        return self.can_change(now, "file") or self.replace_until(now) is not None

    def replace_until(self, now):
        """The first instant too late to replace the UPR submission that was refused, where the deadline has passed
        and that instant has not; else None. Whoever sent one in time does not lose by how long we took to look."""
        if self.status != self.Status.SUBMITTED or self.can_change(now) or not self.meeting.goes_ahead:
            return None
        refused = self.refused_submission
        until = refused and refused.checked_at and refused.checked_at + rules.REPLACE_FOR
        return until if until and now < until else None

    def grace_ends_at(self, now):
        """The first instant too late for who opened the form in time, while that matters; else None."""
        in_time = self._is_open(self._read_at(now))
        return None if in_time or not self.can_change(now) else self.deadline.astimezone(UTC) + rules.GRACE

    def _ways_in(self, rows, at, now, section):
        """(those of the rows that may be changed, what is marked on them); the first that finds one counts."""
        yield rows.open(at), {}
        if self.opened_at:
            yield rows.open(at, self.opened_at), {"in_grace": True}
        if section:
            yield rows.asked_about(section, now, self.opened_at), {}
        if section == "file":
            yield rows.filter(pk__in=type(self).objects.to_replace(now).values("pk")), {}

    def _read_at(self, now, by=None):
        """The instant that a deadline is asked about. What came by e-mail in time may be entered by staff later."""
        return self.received_at if self.received_at and (by or self.by) else now
