"""What is wrong with the mail, on any page of staff; and what became of an audience. Room: mail."""

from django import template
from django.utils import timezone

from presessions.mail import reconciliation, troubles

register = template.Library()


@register.inclusion_tag("admin/mail/_troubles.html", takes_context=True)
def mail_troubles(context):
    """The red box. Nothing for those who may not see the mail."""
    user = context["request"].user
    may_see = user.is_active and user.is_staff and user.has_perm("mail.view_mailing")
    return {"troubles": troubles.find(timezone.now(), troubles.UNKNOWN) if may_see else []}


@register.inclusion_tag("admin/mail/_balance.html")
def mail_balance(mailing):
    """Who of a mailing's audience was reached, and why not the others. Nothing before it has gone."""
    found = None
    if mailing.state in (mailing.State.SENDING, mailing.State.DONE):
        try:
            found = reconciliation.balance(mailing, timezone.now())
        except Exception:  # a room that cannot list its people must not take the page with it
            found = None
    return {"mailing": mailing, "balance": found, "unexplained": len(found.unexplained) if found else 0}
