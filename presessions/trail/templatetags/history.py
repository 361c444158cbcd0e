"""The history of a row on its page: `{% load history %}{% history_of original %}`. Room: trail, basement."""

from django import template
from django.utils.translation import gettext as _

from presessions.trail import history

register = template.Library()


@register.inclusion_tag("admin/_history.html", takes_context=True)
def history_of(context, row):
    """What was done to this row, the newest first."""
    return {"history": history.of(row, context["request"]), "perms": context["perms"]}


@register.inclusion_tag("admin/_history.html", takes_context=True)
def history_by(context, user):
    """What this member of staff did last, each with what it was about."""
    told = history.by(user, context["request"])
    return {"history": told, "history_title": _("What they did last"), "history_id": "did", "perms": context["perms"]}
