"""The page on which staff change the text of a mailing for one series, in one language. Room: mail.

The text is shown filled in for a real reader before it is saved, and whatever is refused stays in the form.
"""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from presessions.mail import languages, letters, outbox, registry, text_checks, texts
from presessions.mail.admin import frame
from presessions.mail.flatten import CannotFlatten, flattened
from presessions.mail.models import Mailing, SeriesText
from presessions.mail.texts import Source
from presessions.trail.steps import WrongStep

DRAFT = "mail_text"  # what somebody is writing, between two pages of theirs
MOST_SIGNS = 20_000  # of a body, before anything looks at it


class TextForm(forms.Form):
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=1_000, strip=True, required=False)
    body = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=MOST_SIGNS,
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "true"}),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, language, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("subject", "body"):
            self.fields[name].widget.attrs |= {"lang": languages.tag(language), "dir": "auto", "autocomplete": "off"}

    def source(self):
        body = self.cleaned_data.get("body", "").replace("\r\n", "\n").strip()
        return Source(self.cleaned_data.get("subject", ""), f"{body}\n" if body else "")

    def complain(self, found):
        for wrong in found:
            self.add_error(wrong.field, wrong.words)


def urls(model_admin):
    """To hang under a mailing's addresses: the page, and the frame with the HTML of what is being written."""
    view = model_admin.admin_site.admin_view
    return [
        path("<int:pk>/edit-text/<str:language>/", view(_page(model_admin)), name="mail_text"),
        path("<int:pk>/edit-text/<str:language>/html/", view(_html(model_admin)), name="mail_text_html"),
    ]


def _mailing(model_admin, request, pk, language):
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    mailing = get_object_or_404(Mailing.objects.with_series(), pk=pk)
    if mailing.kind not in registry.KINDS or language not in dict(settings.MAIL_LANGUAGES):
        raise Http404
    return mailing


def _page(model_admin):
    def page(request, pk, language):
        mailing = _mailing(model_admin, request, pk, language)
        try:
            usual = flattened(registry.KINDS[mailing.kind], language, mailing.series)
        except CannotFlatten:
            messages.error(request, _("The usual text of this mail cannot be changed here."))
            return redirect("admin:mail_mailing_change", pk)
        own, shown = _own(mailing, language), None
        if request.method == "POST":
            form = TextForm(request.POST, language=language)
            step = _Step(request, mailing, language, form)
            if step.is_done():
                return redirect(request.path)
            shown, own = step.shown, _own(mailing, language)
            form.data = form.data.copy()
            form.data["seen"] = texts.seen(own)  # whoever was told of another's change may overwrite it now
        else:
            source = Source(own.subject, own.body) if own else usual
            form = TextForm(
                initial={"subject": source.subject, "body": source.body, "seen": texts.seen(own)}, language=language
            )
        context = {
            **model_admin.admin_site.each_context(request),
            **_words(mailing, language, usual),
            "opts": model_admin.opts,
            "mailing": mailing,
            "language": languages.tag(language),
            "form": form,
            "own": own,
            "shown": shown,
            "html_url": reverse("admin:mail_text_html", args=[pk, language]),
            "meanwhile": own if request.method == "POST" and request.POST.get("seen") != texts.seen(own) else None,
            "refusal": texts.why_not(mailing),
        }
        return TemplateResponse(request, "admin/mail/text/page.html", context)

    return page


def _own(mailing, language):
    return SeriesText.objects.filter(series=mailing.series, kind=mailing.kind, language=language).first()


def _words(mailing, language, usual):
    """What the page says about languages and about what can be inserted."""
    standings = texts.standings(mailing.kind, mailing.series)
    (this,) = [standing for standing in standings if standing.language == language]
    others = [standing for standing in standings if standing.language != language]
    return {
        "title": capfirst(_("%(mailing)s: text in %(language)s") % {"mailing": mailing, "language": this.name}),
        "standings": standings,
        "this": this,
        "not_own": [standing for standing in others if standing.which != "own"],
        "any_own": any(standing.which == "own" for standing in standings),
        "insert": text_checks.expressions(usual),
    }


class _Step:
    """What a button of the page asks for. `shown` is the mail as somebody would get it, once the text is right."""

    def __init__(self, request, mailing, language, form):
        self.request, self.mailing, self.language, self.form = request, mailing, language, form
        self.shown = None

    def is_done(self):
        """Whether a step was taken; otherwise the form says what is wrong, or the text is shown."""
        known = {"save": self._save, "preview": self._preview, "usual": self._back_to_usual}
        step = known.get(self.request.POST.get("step"))
        if step is None:
            raise Http404
        return step()

    def _is_right(self):
        if not self.form.is_valid():
            return False
        found, self.shown = text_checks.wrong_with(self.form.source(), self.mailing, self.language)
        self.form.complain(found)
        return not found

    def _preview(self):
        if self._is_right():
            source = self.form.source()
            self.request.session[DRAFT] = [self.mailing.pk, self.language, source.subject, source.body]
            if self.shown is None:
                messages.info(self.request, _("The text is right. Nobody is there yet to show it for."))
        return False

    def _save(self):
        if not self._is_right():
            return False
        expected = self.form.cleaned_data["seen"]
        who = {"by": self.request.user, "now": timezone.now()}
        try:
            texts.save(self.mailing, self.language, self.form.source(), expected=expected, **who)
        except WrongStep as refusal:
            self.form.add_error(None, str(refusal))
            return False
        self.request.session.pop(DRAFT, None)
        messages.success(self.request, _("Saved. This text goes out in the place of the usual one."))
        return True

    def _back_to_usual(self):
        expected = self.request.POST.get("seen", "")
        try:
            texts.forget(self.mailing, self.language, by=self.request.user, now=timezone.now(), expected=expected)
        except WrongStep as refusal:
            self.form.add_error(None, str(refusal))
            return False
        self.request.session.pop(DRAFT, None)
        messages.success(self.request, _("The usual text goes out again."))
        return True


def _html(model_admin):
    @require_safe
    def html(request, pk, language):
        """The HTML of what this member of staff is writing, for the frame of the page."""
        mailing = _mailing(model_admin, request, pk, language)
        number, written_in, *source = request.session.get(DRAFT) or (None, None)
        person = text_checks.somebody(mailing, language) if (number, written_in) == (pk, language) else None
        if person is None:
            raise Http404
        try:
            text = outbox.preview(mailing.kind, person, mailing=mailing, source=Source(*source))
        except letters.Unwritable:
            raise Http404 from None
        return frame.answer(text.html)

    return html
