"""The pages on which staff set up a series: choose the session, agree to a plan, look at every date. Room: missions.

They hang under SeriesAdmin's addresses. The plan travels in the page: nothing is written before the last button, and
nothing that was typed is lost on the way back.
"""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from missions import setting_up
from missions.pages import page, require
from missions.setting_up_forms import SetUpForm
from presessions.trail.steps import WrongStep
from presessions.upr.models import Series, WorkingGroupSession

NEEDS = ("upr.add_series", "applications.add_call")
PROPOSE, LOOK, BACK, DO = "propose", "look", "back", "do"  # the buttons


@require_GET
def choose(request, site):
    """The sessions that wait for their Pre-sessions."""
    require(request, *NEEDS)
    today = timezone.localdate()
    waiting = [session for session in setting_up.sessions() if not session.is_over(today)]
    rows = [(session, len(setting_up.reviews(session))) for session in waiting]
    return page(request, site, "set_up_choose", _("Set up a series"), rows=rows, step=1)


@require_http_methods(["GET", "POST"])
def plan(request, site, number):
    """Everything on one page, proposed; then every date that follows, to agree to."""
    require(request, *NEEDS)
    session = get_object_or_404(WorkingGroupSession, number=number)
    existing = Series.objects.filter(session=session).first()
    if existing:
        messages.info(request, _("%(series)s are already set up.") % {"series": existing})
        return redirect("admin:upr_series_change", existing.pk)
    now, asked = timezone.now(), request.POST or request.GET
    models = list(setting_up.models_for(session))
    like = _like(models, asked.get("like"))
    proposal = setting_up.proposal(session, like, now)
    form = SetUpForm(request.POST or None, session=session, like=like, proposal=proposal, now=now)
    context = {"session": session, "models": models, "like": like, "now": now, "site": site, "proposal": proposal}
    if request.method == "GET":
        return _form(request, form, **context)
    if PROPOSE in request.POST:
        typed, trouble = form.with_hours_proposed(request.POST)
        form = SetUpForm(typed, session=session, like=like, proposal=proposal, now=now)
        return _form(request, form, trouble=trouble, proposed=not trouble, **context)
    if BACK in request.POST or not form.is_valid():
        return _form(request, form, **context)
    return _look_or_write(request, form, **context)


def _look_or_write(request, form, *, session, now, site, **context):
    plan, changed = form.plan(), False
    try:
        if DO in request.POST:
            series = setting_up.set_up(plan, by=request.user, now=now, mark=request.POST[DO] or "none")
            messages.success(request, _("%(series)s are set up. Please look at the dates below.") % {"series": series})
            return redirect("admin:upr_series_change", series.pk)
        seen = setting_up.look(plan, by=request.user, now=now)
    except setting_up.Changed as meanwhile:
        seen, changed = meanwhile.seen, True
    except WrongStep as refusal:
        messages.error(request, str(refusal))
        return _form(request, form, session=session, now=now, site=site, **context)
    typed = [(name, value) for name, values in request.POST.lists() for value in values]
    ours = ("csrfmiddlewaretoken", PROPOSE, LOOK, BACK, DO)
    return page(
        request,
        site,
        "set_up_look",
        _("Pre-sessions %(number)s: look at every date") % {"number": session.number},
        session=session,
        plan=plan,
        seen=seen,
        without_hour=setting_up.without_hour(plan),
        typed=[(name, value) for name, value in typed if name not in ours],
        changed_meanwhile=changed,
        step=3,
    )


def _form(request, form, *, session, site, models, like, now, proposal, trouble="", proposed=False):
    return page(
        request,
        site,
        "set_up_plan",
        _("Set up Pre-sessions %(number)s") % {"number": session.number},
        session=session,
        form=form,
        models=models,
        like=like,
        texts=list(setting_up.own_texts(like)) if like else [],
        rules=list(setting_up.own_rules(like)) if like else [],
        trouble=trouble,
        proposed=proposed,
        step=2,
    )


def _like(models, asked):
    """The series to set it up like: the newest, unless staff chose another, or none."""
    if asked == "":
        return None
    chosen = next((series for series in models if str(series.number) == asked), None)
    return chosen or (models[0] if models and asked is None else None)


PAGES = (
    ("set-up/", choose, "series_set_up"),
    ("set-up/<int:number>/", plan, "series_set_up_plan"),
)
