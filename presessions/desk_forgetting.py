"""What is forgotten, and when: every rule with what is due by it, what was forgotten, and the button that does not wait
for the night. Wiring."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from presessions import retention, trail
from presessions.accounts.proof import proved
from presessions.retention import running
from presessions.retention.models import Run
from presessions.upr.dates import day_in_words, day_of, in_words

NEWEST = 50  # runs that the page shows
SECONDS = 20  # that a page may take; the rest waits for the next press, or the night


@require_http_methods(["GET", "HEAD", "POST"])
@proved
def page(request, site):
    """POST has forgotten what is ticked, where as much of it is due as the page said."""
    if not request.user.has_perm("retention.forget"):
        raise PermissionDenied
    now = timezone.now()
    if request.method == "POST":
        _forget(request, now)
        return redirect("admin:retention")
    return TemplateResponse(request, "admin/forgotten.html", {**site.each_context(request), **_context(now)})


def _context(now):
    last, lines = running.last_round(), [_line(rule, now) for rule in retention.rules()]
    return {
        "title": _("What is forgotten, and when"),
        "rules": lines,
        "due": sum(line["due"] for line in lines),
        "last": last and in_words(last.at),
        "next": in_words(running.next_round(now)),
        "is_late": running.is_late(now),
        "runs": [_told(run) for run in Run.objects.exclude(rule="").select_related("by")[:NEWEST]],
    }


def _line(rule, now):
    after = rule.next_at(now)
    return {
        "rule": rule,
        "due": rule.due(now).count(),
        "next": after and day_in_words(day_of(after)),
        "waiting": rule.without_date().count(),
    }


def _told(run):
    rule = retention.RULES.get(run.rule)
    return {"run": run, "what": rule.what if rule else run.rule, "at": in_words(run.at)}


def _forget(request, now):
    """Each rule that is ticked, if as many are due as were seen: nobody has more forgotten than they looked at."""
    chosen = [rule for rule in retention.rules() if rule.name in request.POST.getlist("rule")]
    due = {rule.name: rule.due(now).count() for rule in chosen}
    if not chosen:
        messages.error(request, _("Nothing was forgotten: tick what is to be forgotten now."))
    elif any(request.POST.get(f"due-{name}") != str(number) for name, number in due.items()):
        messages.error(request, _("The numbers have changed since you saw them. Please look at them again."))
    else:
        _run(request, chosen, due, now)


def _run(request, chosen, due, now):
    rows = failed = 0
    for rule in chosen:
        run = running.run(rule, now, by=request.user, seconds=SECONDS / len(chosen))
        rows, failed = rows + run.rows, failed + run.failed
        if run.pk:
            trail.record(run, "forgotten_now", now=now, by=request.user)
    words = ngettext("%(n)d entry was forgotten.", "%(n)d entries were forgotten.", rows)
    messages.success(request, words % {"n": rows})
    left = sum(due.values()) - rows - failed
    if left > 0:
        words = ngettext(
            "%(n)d is left: press again, or leave it to the night.",
            "%(n)d are left: press again, or leave them to the night.",
            left,
        )
        messages.warning(request, words % {"n": left})
    if failed:
        words = ngettext(
            "%(n)d could not be forgotten, for an error. The log says which.",
            "%(n)d could not be forgotten, for an error. The log says which.",
            failed,
        )
        messages.error(request, words % {"n": failed})
