"""Small helpers of every page: the language switch, and the list of problems above a form. Room: wiring.

Imports tongues only: forms, fields and the request come in as arguments.
"""

from django import template
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from presessions.tongues import prefix

register = template.Library()

LEFT_TO_RIGHT = {"email", "tel", "url"}


@register.simple_tag(takes_context=True)
def languages(context):
    """The same page in every language of the site: code, the language's own name, address, is it the current one.

    A page that has no address in that language (an error page, the admin) leads to the language's home.
    """
    page = getattr(context.get("request"), "resolver_match", None)
    current = translation.get_language()
    links = []
    for code, name in settings.LANGUAGES:
        with translation.override(code):
            links.append({"code": declared(code), "name": name, "address": _address(page), "current": code == current})
    return links


@register.simple_tag(takes_context=True)
def reviewed_at(context):
    """The same page in English where its texts on safety and privacy await somebody who speaks the active language.

    "" where they have been reviewed (settings.REVIEWED_LANGUAGES), so that nothing is said.
    """
    if (translation.get_language() or "en")[:2] in settings.REVIEWED_LANGUAGES:
        return ""
    with translation.override("en"):
        return _address(getattr(context.get("request"), "resolver_match", None))


def _address(page):
    try:
        return reverse(page.view_name, args=page.args, kwargs=page.captured_kwargs)
    except (AttributeError, NoReverseMatch):
        pass
    try:
        return reverse("applications:home")
    except NoReverseMatch:
        return f"/{prefix(translation.get_language())}/"


@register.filter
def declared(code):
    """A language as HTML declares it, the script with a capital: "zh-Hans"."""
    language, *script = code.split("-")
    return "-".join([language, *(part.title() for part in script)])


@register.simple_tag
def calendar_at(name, *args):
    """Where a calendar is fetched: `path`; `address`, the whole of it, to be typed into a program; and `subscribe`,
    which programs open by themselves. One for everybody, that has no language in its address, is asked for ours."""
    path = reverse(name, args=args)
    if name.startswith("feeds:"):
        path += f"?lang={prefix(translation.get_language())}"
    address = settings.PUBLIC_URL + path
    return {"path": path, "address": address, "subscribe": f"webcal:{address.partition(':')[2]}"}


@register.simple_tag
def contact_address():
    """A mailbox of UPR Info that somebody reads."""
    return settings.MAIL_REPLY_TO


@register.simple_tag
def widget(field):
    """The widget of a bound field; addresses, numbers and links read left to right in every script, and a text with a
    limit in words tells it to site.js (a validator's `limit`; Django's own limits are called otherwise)."""
    kind = getattr(field.field.widget, "input_type", "")
    attrs = {"dir": "ltr"} if kind in LEFT_TO_RIGHT else {}
    limits = [validator.limit for validator in field.field.validators if hasattr(validator, "limit")]
    return field.as_widget(attrs={**attrs, **({"data-words": limits[0]} if limits else {})})


@register.simple_tag
def problems(*forms):
    """Every error of these forms and formsets, in the order of the page: text, the id it leads to, if any, and the
    label of its field where the text alone could be meant of another."""
    found = []
    for form in filter(None, forms):
        if hasattr(form, "management_form"):
            found += [{"text": text, "target": ""} for text in form.non_form_errors()]
            found += problems(*form.forms)
            continue
        found += [{"text": text, "target": ""} for text in form.non_field_errors()]
        for field in form:
            target = "" if field.is_hidden else first_id(field)
            label = "" if field.is_hidden else field.label
            found += [
                {"text": text, "target": target, "label": label if _fits_others(field.field, error) else ""}
                for error in field.errors.as_data()
                for text in error.messages
            ]
    return found


def _fits_others(asked, error):
    """Whether an error is in words of a validator or of Django, which any field may have, not in the field's own."""
    if error.code not in asked.error_messages:
        return error.code in {getattr(validator, "code", None) for validator in asked.validators} - {None}
    kinds = [kind for kind in type(asked).__mro__ if kind.__module__.startswith("django.")]
    said = [getattr(kind, "default_error_messages", {}).get(error.code) for kind in kinds]
    return asked.error_messages[error.code] in [words for words in said if words]


@register.filter
def first_id(field):
    """The id of the first thing in a field that takes the focus: of a group, its first choice."""
    return field.id_for_label or next((choice.id_for_label for choice in field), field.auto_id)
