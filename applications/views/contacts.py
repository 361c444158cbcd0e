"""Who is told of the call: sign-up, confirmation, leaving. Known and unknown addresses are answered alike."""

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from applications import throttle
from applications.forms import ContactForm
from applications.models import Contact
from applications.views import typed_address
from presessions.mail import languages, links

page = require_http_methods(["GET", "HEAD", "POST"])


@page
@never_cache
def sign_up(request):
    now = timezone.now()
    form = ContactForm(request.POST or None, now=now, initial={"language": languages.spoken(get_language())})
    if not form.is_valid():
        return render(request, "applications/contact_signup.html", {"form": form})
    if form.is_robot:
        return typed_address.lead_to("applications:contact_sent", form.cleaned_data["email"])
    if not throttle.allows(request, "sign_up", now=now):
        form.add_error(None, throttle.TOO_MANY)
        return render(request, "applications/contact_signup.html", {"form": form}, status=429)
    Contact.sign_up(**form.wishes(), now=now)
    return typed_address.lead_to("applications:contact_sent", form.cleaned_data["email"])


@require_safe
@never_cache
def sent(request):
    return typed_address.show(request, "applications:contact_sent", "applications/contact_sent.html")


@page
@never_cache
def confirm(request, token):
    """A page with one button, because mail filters fetch links; its POST confirms the address."""
    now = timezone.now()
    link = links.find(token, "contact_confirm", now=now)
    contact = link and Contact.objects.filter(reference=link.target_id, left_at=None).first()
    if contact is None:
        return render(request, "applications/dead_link.html", {"of_contact": True}, status=404)
    if request.method == "POST":
        contact.confirm(now=now)
        return render(request, "applications/contact_confirmed.html", {"done": True})
    links.visited(link, request, now)
    return render(request, "applications/contact_confirmed.html", {"done": False})


ONE_CLICK = ("List-Unsubscribe", "One-Click")  # what a mail program posts when its reader presses "unsubscribe"


@csrf_exempt
@page
@never_cache
def leave(request, token):
    """A page with one button. A mail program presses it without looking, and without a cookie (RFC 8058): the token is
    its right to; whatever else is posted here comes from our page, and must prove it."""
    if list(request.POST.items()) == [ONE_CLICK]:
        return _leave(request, token)
    return csrf_protect(_leave)(request, token)


def _leave(request, token):
    now = timezone.now()
    link = links.find(token, "leave", now=now, revoked_too=True)  # leaving ends it; again is no harm
    if link is None:
        return render(request, "applications/dead_link.html", {"of_contact": True}, status=404)
    contact = Contact.objects.filter(reference=link.target_id).first()
    if contact is None or contact.has_nothing_to_leave():
        return render(request, "applications/contact_left.html", {"already": True})
    if request.method == "POST":
        contact.leave(now=now)
        return render(request, "applications/contact_left.html", {"done": True})
    links.visited(link, request, now)
    return render(request, "applications/contact_left.html", {"done": False})
