"""The applicant's own pages. Which application is shown stands in the session and nowhere else; no page is stored by
a browser, none has anybody's data in its address or title."""

from functools import partial, wraps

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from applications import desk_entering, entering, letters, rules, throttle, visits
from applications.forms import SECTION_FORMS, SendForm
from applications.forms.upload import WithFile
from applications.models import Application, Closed, Incomplete, Theme
from applications.views.start import opened_at
from presessions.accounts import proof
from presessions.trail.steps import WrongStep


def applicants_page(view=None, *, together=()):
    """Give the view the application of this session. Whoever has none is told how to come back, and keeps what they
    have just typed.

    The application knows when this session opened it (`opened_at`) and, where staff enter it for somebody, who does
    (`by`): its steps and `can_change` go by that, so that a view need not.

    together -- the rows of it that the page shows, to come with it; a page of one section brings that section's
    """
    if view is None:
        return partial(applicants_page, together=together)

    @require_http_methods(["GET", "HEAD", "POST"])
    @never_cache
    @wraps(view)
    def page(request, **kwargs):
        application = _application(request, Application.ROWS.get(kwargs.get("section"), together))
        if application is None and entering.is_on(request) and request.method != "POST":
            return desk_entering.ended(request)
        if application is None:
            return _handed_back(request, "applications/no_session.html", typed(request, **kwargs), status=404)
        if application.by:  # staff, in whose session this is: the desk's own doors are elsewhere
            asked = proof.if_locked(request, now=timezone.now())
            if asked:
                return asked
        if request.POST.get("application", application.reference) != application.reference:
            return _handed_back(request, "applications/another_open.html", typed(request, **kwargs), status=409)
        return view(request, application, timezone.now(), **kwargs)

    def typed(request, section=None, **_kwargs):
        """What was typed into this page, to be copied where it cannot be taken. view -- may name its `form`"""
        form = SECTION_FORMS.get(section) or getattr(view, "form", None)
        return form(request.POST, application=None).typed() if form and request.method == "POST" else []

    page.typed = typed
    return page


def _application(request, together):
    """The application of this session, or None."""
    living = Application.objects.with_state().filter(erased_at=None).together(*together)
    if "themes" in together:
        living = living.together(themes_offered=Theme.objects.all())
    application = visits.opened(request.session, living)
    if entering.is_on(request):
        hand = entering.hand(request)
        if hand:
            hand.application.by = hand.by
        return hand and hand.application
    if application:
        application.opened_at = opened_at(request)
    return application


def _handed_back(request, template, typed, *, status):
    """A page that cannot take what was typed, and gives it back to be copied."""
    return render(request, template, {"typed": typed}, status=status)


@applicants_page(together=Application.ALL_ROWS)
def tasks(request, application, now):
    """The sections, each with how far it is. What was sent has a status page instead."""
    if application.was_sent or application.is_withdrawn:
        return redirect("applications:status")
    application.fetch_all()
    sections = [
        {
            "name": name,
            "title": SECTION_FORMS[name].title,
            "state": rules.state_of(name, application.answers(name)),
        }
        for name in rules.SECTIONS
    ]
    context = {
        "application": application,
        "sections": sections,
        "ready": not application.missing(),
        "open": application.can_change(now),
        "grace": application.grace_ends_at(now),
    }
    return render(request, "applications/tasks.html", context)


@applicants_page
def section(request, application, now, section):
    """One section: shown, or saved as it is, complete or not. Beside a mistake the other answers are saved."""
    if application.is_withdrawn or (section != "safety" and application.is_decided):
        return redirect("applications:status")
    form = SECTION_FORMS[section](request.POST or None, request.FILES or None, application=application)
    if section != "safety" and not _may_save(application, section, now):
        return _too_late(request, application, form)
    facts, kept = form.to_keep(), ""
    if facts is not None and (saved := form.saved_meanwhile()):
        return _show(request, application, form, now, saved=saved, status=409)
    if facts is not None:
        try:
            if isinstance(form, WithFile):
                form.keep_file(now=now)
            else:
                application.save_section(section, facts, now=now, in_part=bool(form.errors))
                kept = gettext("Your other answers on this page are saved.") if form.mistakes else gettext("Saved.")
        except Closed:
            return _too_late(request, application, form)
        except WrongStep:
            if not form.errors or application.status not in application.EDITABLE:
                return redirect("applications:status")  # decided or withdrawn meanwhile: it says which
            # sent meanwhile: the page is shown with its mistakes, and nothing of it was saved
    if form.is_bound and not form.errors:
        _say_saved(request, application, form)
        return redirect(_next(request, application, section))
    return _show(request, application, form, now, kept=kept)


def _may_save(application, section, now):
    return application.can_send_file(now) if section == "file" else application.can_change(now, section)


def _say_saved(request, application, form):
    """What has become of a page without mistakes, which may still be far from complete."""
    facts = form.facts()
    if form.section == "file" and not facts["file"]:
        messages.warning(request, gettext("Nothing is attached yet."))
        return
    has_gaps = rules.state_of(form.section, facts) in ("not_started", "incomplete")
    gaps = gettext("Some answers are still missing.") if has_gaps else ""
    messages.success(request, " ".join(filter(None, [gettext("Saved."), gaps, form.said_back()])))


def _show(request, application, form, now, *, saved=(), kept="", status=200):
    number = rules.SECTIONS.index(form.section) + 1
    context = {
        "application": application,
        "form": form,
        "number": number,
        "of": len(rules.SECTIONS),
        "saved": saved,
        "kept": kept,
        "replace_until": application.replace_until(now) if form.section == "file" else None,
        "grace": application.grace_ends_at(now),
        "asked": asked(application, now),
    }
    return render(request, "applications/section.html", context, status=status)


def asked(application, now):
    """What staff ask for, for a page: {"request", "sections": [(name, title)]}; None where they ask for nothing."""
    request = application.request(now)
    if request is None:
        return None
    return {"request": request, "sections": [(name, SECTION_FORMS[name].title) for name in request.sections]}


def _next(request, application, section):
    """Where to go after saving: back to where the person came from, or on to the next section."""
    following = rules.SECTIONS[rules.SECTIONS.index(section) + 1 :]
    if "later" in request.POST:
        return reverse("applications:tasks")  # of an application that was sent, that is its status page
    if request.GET.get("then") == "check":
        return f"{reverse('applications:check')}#{section}"  # there, at the section just changed
    if application.was_sent and section != "safety" and not application.can_change(timezone.now()):
        return reverse("applications:status")  # it was opened because staff have asked, and that stands there
    if application.was_sent or not following:
        return reverse("applications:check")
    return reverse("applications:section", args=[following[0]])


def _too_late(request, application, form=None):
    """Late is a page that says so and keeps what was typed."""
    typed = form.typed() if form and form.is_bound else []
    context = {"application": application, "state_call": application.state_call, "typed": typed}
    return render(request, "applications/too_late.html", context, status=410)


@applicants_page(together=Application.ALL_ROWS)
def check(request, application, now):
    """All answers on one page, each with a way to change it; then send. Sending twice is sending once."""
    if application.is_withdrawn:
        return redirect("applications:status")
    form = SendForm(request.POST or None, application=application)
    if form.is_valid():
        try:
            application.submit(now=now)
        except Incomplete:
            pass  # the page below names what is missing
        except Closed:
            return _too_late(request, application)
        except WrongStep:
            return redirect("applications:receipt" if application.was_sent else "applications:status")
        else:
            return redirect("applications:receipt")
    application.fetch_all()
    sections = [SECTION_FORMS[name](application=application) for name in rules.SECTIONS]
    is_open = application.can_change(now)
    missing = _missing_words(application) if form.is_bound else []
    context = {
        "application": application,
        "form": form,
        "sections": sections,
        "missing": missing,
        "open": is_open,
        "changeable": rules.SECTIONS if is_open else {"safety", *application.asked_about(now)},
        "grace": application.grace_ends_at(now),
    }
    return render(request, "applications/check.html", context)


def _missing_words(application):
    """What to do about each missing answer, and where."""
    return [
        {
            "section": section,
            "field": name,
            "words": SECTION_FORMS[section].words_for(name, application.answers(section).get(name)),
        }
        for section, names in application.missing().items()
        for name in names
    ]


@applicants_page
def elsewhere(request, application, now):
    """Mail the personal link to the applicant's own address, to go on on another device. The page says the same whether
    or not one was sent a moment ago."""
    if request.method == "POST":
        if not application.by and throttle.allows(request, "elsewhere", now=now):
            letters.send_link(application, now=now)
        messages.success(
            request,
            gettext(
                "We send your personal link to the address that you began with. Open that mail on the other device. "
                "It may take some minutes."
            ),
        )
    return redirect("applications:tasks")


@require_POST
@never_cache
def leave(request):
    """Forget on this device which application is open: others may use it. Staff stay logged in."""
    if entering.is_on(request):
        entering.leave(request)
    else:
        request.session.flush()
    return render(request, "applications/left.html")
