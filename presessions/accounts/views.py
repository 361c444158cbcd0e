"""The ways in for staff: password, code, a new phone, a new password. Room: accounts.

They hang under the admin's addresses (admin_site.py), and they alone answer somebody who has not given both factors
(doors.py). Whether a person exists cannot be told from any answer.
"""

from contextlib import contextmanager
from time import perf_counter, sleep

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import authenticate, login, update_session_auth_hash
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from presessions import trail
from presessions.accounts import invitations, second_factor, sessions, tries
from presessions.accounts.models import User
from presessions.accounts.proof import first, proved
from presessions.accounts.tries import CODE, PASSWORD, RESET, Counter, TooMany

TAKES = 0.3  # seconds; more than it takes to write a letter, so that the clock tells nobody whether one was written


class LogInForm(forms.Form):
    """Named as Django's own form names them, so that password managers and people find what they know."""

    username = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class AddressForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class LanguageForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("language",)
        widgets = {"language": forms.Select(attrs={"autocomplete": "language", "aria-labelledby": "language"})}


def page(request, name, title, status=200, **context):
    """One of our pages: without the desk around it, and kept by nobody."""
    context = {**admin.site.each_context(request), "title": title, **context}
    shown = TemplateResponse(request, f"admin/accounts/{name}.html", context, status=status)
    shown["Cache-Control"] = "no-store"
    return shown


def onwards(request):
    """Where the person wanted to go, if that is a page of ours; else home."""
    wish = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wish, {request.get_host()}, require_https=request.is_secure())
    return wish if safe else reverse("admin:index")


def next_step(request, name):
    return HttpResponseRedirect(f"{reverse(f'admin:{name}')}?{urlencode({'next': onwards(request)})}")


# --- Log in ----------------------------------------------------------------------------------------------------------


@never_cache
@sensitive_post_parameters()
@csrf_protect
def log_in(request):
    """The first factor. Once very many have guessed at a person, both at once, so that no answer helps the guesser."""
    if request.method != "POST":
        if admin.site.has_permission(request):
            return HttpResponseRedirect(onwards(request))
        return page(request, "log_in", _("Log in"), form=LogInForm(), next=onwards(request))
    now, form = timezone.now(), LogInForm(request.POST)
    problem, guessed = "", False
    if form.is_valid():
        email = form.cleaned_data["username"]
        counter = Counter(request, PASSWORD, email, now=now)
        try:
            counter.begin()
            guessed = counter.guessed_from_everywhere()
            done = _try_password(request, counter, form.cleaned_data, guessed=guessed, now=now)
            if done:
                return done
            problem = _("The e-mail address or the password is wrong.")
            if guessed:
                problem = _("The e-mail address, the password or the code is wrong.")
        except TooMany:
            problem = _("Too many tries. Wait a quarter of an hour, or ask for a new password.")
    context = {"problem": problem, "form": form, "guessed": guessed, "next": onwards(request)}
    return page(request, "log_in", _("Log in"), **context)


def _try_password(request, counter, typed, *, guessed, now):
    """The way on if the password is right, and the code too where it is asked for; else None, and a line in the trail
    of whoever was tried."""
    user = authenticate(request, username=typed["username"], password=typed["password"])
    right = user is not None and user.is_staff
    phone = second_factor.check(user, request.POST.get("code", ""), now=now) if right and guessed else None
    if not right or (guessed and phone is None):
        known = User.objects.filter(email__iexact=typed["username"]).first()
        if known:
            trail.record(known, "locked_out" if counter.last_one() else "logged_in", now=now, refused=True)
        return None
    counter.right()
    login(request, user)
    request.session[sessions.SEEN] = request.session[sessions.BEGAN] = now.timestamp()
    if phone:
        return _enter(request, phone, now)
    if second_factor.of(user):
        return next_step(request, "second_factor")
    second_factor.begin(user, now=now)
    return next_step(request, "enrol")


def _enter(request, phone, now):
    sessions.enter(request, phone, now=now)
    trail.record(request.user, "logged_in", now=now, by=request.user)
    return HttpResponseRedirect(onwards(request))


@never_cache
@sensitive_post_parameters()
@csrf_protect
def second_factor_page(request):
    """The second factor, after the password."""
    user, now = request.user, timezone.now()
    if user.is_verified():
        return HttpResponseRedirect(onwards(request))
    if second_factor.of(user) is None:
        return next_step(request, "enrol")
    problem, guessed = "", False
    if request.method == "POST":
        counter = Counter(request, CODE, user.email, now=now)
        try:
            counter.begin()
            guessed = counter.guessed_from_everywhere()
            phone = second_factor.check(user, request.POST.get("code", ""), now=now, only_recovery=guessed)
            if phone:
                counter.right()
                return _enter(request, phone, now)
            trail.record(user, "locked_out" if counter.last_one() else "logged_in", now=now, refused=True)
            problem = _("This code is wrong or has been used already. Wait for the next one and type it.")
            if guessed:
                problem = _("Somebody is guessing your codes. Use a recovery code, and choose a new password soon.")
        except TooMany:
            problem = _("Too many wrong codes. Wait a quarter of an hour, then try again.")
    context = {"problem": problem, "next": onwards(request)}
    return page(request, "second_factor", _("A code from your phone"), **context)


# --- A phone, and codes on paper -------------------------------------------------------------------------------------


@never_cache
@sensitive_post_parameters()
@csrf_protect
def enrol(request):
    """Set up a phone. With the password alone only for those who have none yet; others change theirs from inside."""
    user, now = request.user, timezone.now()
    if not user.is_verified() and second_factor.of(user):
        return next_step(request, "second_factor")
    if user.is_verified() and (asked := first(request, now=now)):  # or an unwatched session gets another phone
        return asked
    problem = ""
    if request.method == "POST" and "begin" in request.POST:
        second_factor.begin(user, now=now)
        return next_step(request, "enrol")
    if request.method == "POST":
        counter = Counter(request, CODE, user.email, now=now)
        try:
            counter.begin()
            confirmed = second_factor.confirm(user, request.POST.get("code", ""), now=now)
            if confirmed:
                counter.right()
                phone, codes = confirmed
                sessions.enter(request, phone, now=now)
                trail.record(user, "logged_in", now=now, by=user)
                return _show_codes(request, codes)
            problem = _("This is not the code that your phone should show now. Check that its clock is right.")
        except TooMany:
            problem = _("Too many wrong codes. Wait a quarter of an hour, then try again.")
    phone = second_factor.on_its_way(user)
    picture = second_factor.picture(phone) if phone else ""
    context = {"problem": problem, "next": onwards(request), "phone": phone, "picture": picture}
    return page(request, "enrol", _("Set up your phone"), **context)


def _show_codes(request, codes):
    return page(request, "codes", _("Your recovery codes"), codes=codes, next=onwards(request))


@never_cache
def my_log_in(request):
    """What a person logs in with, and how to change it; the language of the desk, which the POST chooses."""
    user = request.user
    own = User.objects.get(pk=user.pk)  # a copy: what is refused must not stand in the page around the form
    form = LanguageForm(request.POST if request.method == "POST" else None, instance=own)
    if form.is_valid():
        if form.has_changed():
            own.save(update_fields=["language"])
            trail.record(user, "staff_changed", now=timezone.now(), by=user)
        return redirect("admin:my_log_in")
    context = {"phone": second_factor.of(user), "codes_left": second_factor.codes_left(user), "form": form}
    return page(request, "my_log_in", _("Your log-in"), **context)


@require_POST
@proved
def another_phone(request):
    second_factor.begin(request.user, now=timezone.now(), afresh=True)
    return redirect("admin:enrol")


@require_POST
@proved
def log_out_elsewhere(request):
    """End one's sessions in every browser but this one: a computer that was left open, a phone that is gone."""
    request.user.log_out_everywhere(by=request.user, now=timezone.now())
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Every other browser is logged out."))
    return redirect("admin:my_log_in")


@require_POST
@proved
def new_codes(request):
    return _show_codes(request, second_factor.new_recovery_codes(request.user, now=timezone.now()))


# --- A new password --------------------------------------------------------------------------------------------------


@contextmanager
def in_equal_time():
    """What is done inside takes as long for somebody whom we know as for anybody."""
    began = perf_counter()
    yield
    sleep(max(0, TAKES - (perf_counter() - began)))


@never_cache
@csrf_protect
def forgotten(request):
    """Ask for a link to a new password. The answer is the same for everybody."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now, email = timezone.now(), form.cleaned_data["email"]
        with in_equal_time():
            try:
                Counter(request, RESET, email, now=now).begin()
                user = User.objects.filter(email__iexact=email, is_active=True, is_staff=True).first()
                if user:
                    invitations.send_link(user, by=None, now=now)
            except TooMany:
                pass  # five links in a quarter of an hour are enough, and nobody needs to know whose they were
        return redirect("admin:forgotten_asked")
    problem = _("Please type a whole e-mail address.") if form.errors else ""
    return page(request, "forgotten", _("Forgotten your password?"), form=form, problem=problem)


@never_cache
def forgotten_asked(request):
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return page(request, "forgotten_asked", _("Look into your mailbox"), hours=hours)


@never_cache
@sensitive_post_parameters()
@csrf_protect
def new_password(request, uid, token):
    """Choose a password, by a link that came by mail. The second factor stays as it is."""
    user = invitations.person_behind(uid)
    if user is None or not default_token_generator.check_token(user, token):
        return page(request, "link_over", _("This link is over"), status=404)
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        now = timezone.now()
        trail.record(user, "password_set", now=now, by=user)
        tries.forget(user.email)
        messages.success(request, _("Your new password is set. Log in with it."))
        return redirect("admin:login")
    return page(request, "new_password", _("Choose a password"), form=form)
