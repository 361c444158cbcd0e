"""The pages of who has a seat on a panel: the seat itself, another speaker, needs, papers, what may be published.

Like the form's, they show the application of this session and no other. Whoever has no seat, or none any more, is led
to the status page, which says so in words. Room: applications.
"""

from functools import wraps

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from applications import agenda, rules, seat
from applications.forms.seat import (
    FactSheetForm,
    GiveUpForm,
    NeedsForm,
    NewSpeakerForm,
    PassportForm,
    PublishForm,
    StatementForm,
)
from applications.models import Attachment, Needs
from applications.views.form import applicants_page
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr import dates


def seat_page(form=None):
    """Give the view the application of this session, if it has a seat. form -- whose typed words are handed back when
    the session has ended meanwhile"""

    def decorate(view):
        @wraps(view)
        def page(request, application, now, **kwargs):
            if not application.holds_seat:
                messages.info(request, _("That page is for applications with a seat. This is where yours stands."))
                return redirect("applications:status")
            return view(request, application, now, **kwargs)

        page.form = form
        return applicants_page(page)

    return decorate


def _needs(application):
    return Needs.objects.filter(application=application).first()


def _closed(request, application, form, now):
    """The meeting is over or called off: a page says so and gives back what was typed; None while it lies ahead."""
    why = seat.why_closed(application.meeting, now)
    if not why:
        return None
    context = {"application": application, "why": why, "typed": form.typed() if form.is_bound else []}
    return render(request, "applications/seat_closed.html", context, status=410)


def _refused(request, wrong):
    messages.error(request, str(wrong))
    return redirect("applications:seat")


@seat_page()
def the_seat(request, application, now):
    """When and where, until when to confirm, what is left to do. One press confirms."""
    if request.method == "POST":
        try:
            seat.confirm(application, now=now)
        except WrongStep as wrong:
            return _refused(request, wrong)
        messages.success(request, _("Your seat is confirmed. Thank you."))
        return redirect("applications:seat")
    application.fetch_all()
    meeting, needs = application.meeting, _needs(application)
    speaks = agenda.own_lines(meeting).get(application.reference)
    context = {
        "application": application,
        "meeting": meeting,
        "place": seat.place(meeting),
        "speaks": speaks,
        "minutes": speaks.minutes if speaks else seat.minutes_each(meeting),
        "closed": seat.why_closed(meeting, now),
        "late": seat.is_late(application, now),
        "needs": needs,
        "letter_waits": seat.letter_for_visa(application, needs, now),
        "statement": application.newest(Attachment.Kind.STATEMENT),
        "fact_sheet": application.newest(Attachment.Kind.FACT_SHEET),
        "due_on": seat.due_on(application),
    }
    return render(request, "applications/seat.html", context)


@seat_page(GiveUpForm)
def give_up(request, application, now):
    """Leave the seat to somebody else, with or without a reason."""
    form = GiveUpForm(request.POST or None, application=application)
    if closed := _closed(request, application, form, now):
        return closed
    if form.is_valid():
        try:
            seat.give_up(application, now=now, reason=form.cleaned_data["reason"])
        except WrongStep as wrong:
            return _refused(request, wrong)
        return redirect("applications:status")
    return render(request, "applications/seat_give_up.html", {"application": application, "form": form})


@seat_page(NewSpeakerForm)
def speaker_change(request, application, now):
    """The replacement takes over with one press, or somebody new is named."""
    is_new = "new" in request.POST
    form = NewSpeakerForm(request.POST if is_new else None, application=application)
    if closed := _closed(request, application, form, now):
        return closed
    if request.method == "POST" and (not is_new or form.is_valid()):
        person = form.cleaned_data if is_new else None
        try:
            seat.replace_speaker(application, now=now, seen=request.POST.get("seen", ""), person=person)
        except WrongStep as wrong:
            messages.error(request, str(wrong))
            return redirect("applications:speaker_change" if application.holds_seat else "applications:status")
        messages.success(request, _("Somebody else will speak. Please answer anew what is left to do."))
        return redirect("applications:seat")
    context = {"application": application, "form": form, "seen": seat.as_seen(application)}
    return render(request, "applications/seat_speaker.html", context)


@seat_page(NeedsForm)
def needs(request, application, now):
    """What the speaker needs. The passport is asked about on a page of its own, and only of who needs papers."""
    saved = _needs(application)
    initial = {name: getattr(saved, name) for name in Needs.ANSWERS} if saved else {}
    initial["attends"] = application.speaker.attends if application.speaker else ""
    form = NeedsForm(request.POST or None, application=application, initial=initial)
    if closed := _closed(request, application, form, now):
        return closed
    if form.is_valid():
        try:
            kept = seat.save_needs(application, form.cleaned_data, now=now)
        except WrongStep as wrong:
            return _refused(request, wrong)
        messages.success(request, _("Saved."))
        return redirect("applications:passport" if kept.wants_papers else "applications:seat")
    return render(request, "applications/seat_needs.html", {"application": application, "form": form})


@seat_page(PassportForm)
def passport(request, application, now):
    saved = _needs(application)
    if not (saved and saved.wants_papers):
        return redirect("applications:needs")
    initial = {name: getattr(saved, name) for name in Needs.PASSPORT}
    form = PassportForm(request.POST or None, application=application, initial=initial)
    if closed := _closed(request, application, form, now):
        return closed
    if form.is_valid():
        try:
            seat.save_passport(application, form.cleaned_data, now=now)
        except WrongStep as wrong:
            return _refused(request, wrong)
        messages.success(request, _("Saved."))
        return redirect("applications:seat")
    return render(request, "applications/seat_passport.html", {"application": application, "form": form})


@seat_page()
def letter_for_visa(request, application, now):
    """The letter of invitation, made now and never kept; or, in words, what it still needs."""
    saved = _needs(application)
    if why := seat.letter_for_visa(application, saved, now):
        messages.info(request, why)
        return redirect("applications:seat")
    from applications import visa_letter  # with ReportLab; a process that never makes a letter never loads it

    trail.record(application, "visa_letter_made", now=now)
    response = HttpResponse(visa_letter.make(application, saved, now=now), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="letter-{application.reference}.pdf"'
    response["Content-Encoding"] = "identity"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


# --- Papers ----------------------------------------------------------------------------------------------------------


def _paper(request, application, now, form_class):
    form = form_class(request.POST or None, files=request.FILES or None, application=application)
    if closed := _closed(request, application, form, now):
        return closed
    if form.is_valid():
        try:
            if kept := form.keep_file(now=now):
                received = form.received % {"version": kept.version}
                if application.status != application.Status.CONFIRMED:
                    messages.success(request, received)
                    return redirect("applications:seat")
                messages.success(request, f"{received} {_('Please say now what may be published.')}")
                return redirect("applications:consent_again")
        except WrongStep as wrong:
            return _refused(request, wrong)
    application.fetch_all()
    paper = application.newest(form.kind)
    minutes = rules.reading_minutes(paper.words) if paper and paper.words else None
    allowed, due_on = agenda.minutes_of(application), seat.due_on(application)
    context = {
        "application": application,
        "form": form,
        "file": paper,
        "refused": application.refused(form.kind),
        "reading": minutes and seat.minutes_in_words(minutes),
        "minutes": allowed,
        "too_long": bool(minutes and allowed and minutes > allowed),
        "room": allowed and allowed * rules.WORDS_PER_MINUTE,
        "due_on": due_on,
        "late": bool(due_on and dates.closes_after(due_on) <= now),
    }
    return render(request, f"applications/seat_{form.kind}.html", context)


@seat_page()
def statement(request, application, now):
    return _paper(request, application, now, StatementForm)


@seat_page()
def fact_sheet(request, application, now):
    return _paper(request, application, now, FactSheetForm)


# --- What may be published -------------------------------------------------------------------------------------------


@seat_page()
def consent_again(request, application, now):
    """Each item asked anew, because what was agreed to with the application was agreed to before anybody had a seat.
    Also open when the meeting is over: leave to publish may always be taken back."""
    if application.status != application.Status.CONFIRMED:
        messages.info(request, _("Please confirm your seat first; then we ask what may be published."))
        return redirect("applications:seat")
    application.fetch_all()
    form = PublishForm(request.POST or None, application=application)
    if request.method == "POST" and form.is_valid():
        try:
            seat.publish_again(application, form.wanted(), now=now, seen=request.POST.get("seen", ""))
        except WrongStep as wrong:  # changed since the page was made: it is asked about as it is now
            messages.error(request, str(wrong))
            return redirect("applications:consent_again")
        messages.success(request, _("Saved. You may change it whenever you like."))
        return redirect("applications:seat")
    return render(request, "applications/seat_publish.html", {"application": application, "form": form})
