"""Which further steps staff can take with an application, and what was asked: a part of its page. Room: applications;
part of `desk`."""

from applications import at_risk, reversal
from applications.models import Application


def context(request, application, now):
    """Empty where there is nothing to show."""
    status = application.status
    more = {
        "requests": list(application.requests.select_related("asked_by")),
        "late_until": application.late_until if status == Application.Status.DRAFT else None,
        "can_ask": status == Application.Status.SUBMITTED,
        "can_reverse": bool(reversal.choices(application)),
        "can_be_late": status == Application.Status.DRAFT and application.received_at is None,
    }
    if not any(more.values()):
        return {}
    return {"more": {**more, "now": now, "masked": at_risk.is_masked_for(request, application)}}
