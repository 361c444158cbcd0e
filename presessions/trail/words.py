"""What the codes of events mean, and whose pages they lead to. Room: trail, basement; imports nothing of ours.

The trail keeps codes, because an event is never changed and words are. Each room gives its words once, when it is
ready: `words.give("applications", {"submitted": _("submitted")})`, or for one model alone `"applications.call"`.
"""

from django.apps import apps
from django.urls import NoReverseMatch, reverse

_words = {}  # "applications" or "applications.call" -> {code: words}
_paths = {}  # label of a model -> the columns that its references are made of
_locks = {}  # label of a model -> function(request, references) -> those whose reasons are not shown to whoever asks

# What somebody has read or taken with them; rooms add theirs.
LOOKS = set()


def give(room, words, *, looks=()):
    """Give words to the codes of a room, or of one model of it.

    looks -- those of the codes that say that somebody has read, revealed, downloaded or exported something
    """
    _words.setdefault(room.lower(), {}).update(words)
    LOOKS.update(looks)


def known(room, code):
    """The words of a code, or None. room -- the label of a model, as an Event keeps it"""
    return _words.get(room, {}).get(code) or _words.get(room.split(".")[0], {}).get(code)


def of(room, code):
    """A code in words; one that nobody has given words to is shown as it is, but readable."""
    return str(known(room, code) or code.replace("_", " "))


def has_words(room):
    return any(key.split(".")[0] == room for key in _words)


def codes_like(term):
    """Codes whose words hold a text of three letters or more, in the language of whoever asks."""
    term = term.casefold()
    if len(term) < 3:
        return set()
    return {code for known in _words.values() for code, said in known.items() if term in str(said).casefold()}


def lock_reasons(model, locked):
    """Reasons of events about rows of this model are shown only as `locked(request, references)` allows: it returns
    those of the references whose reasons stay hidden."""
    _locks[model._meta.label_lower] = locked


def rooms_with_locks():
    return _locks.keys()


def locked_reasons(request, room, references):
    """Those of the references whose reasons may not be shown to whoever asks."""
    return _locks[room](request, {*references, ""}) if room in _locks else set()


def model_of(room):
    """The model that an event is about, or None where there is no such model any more."""
    try:
        return apps.get_model(room)
    except (LookupError, ValueError):
        return None


def kind_of(room):
    """What kind of thing an event is about, in words."""
    model = model_of(room)
    return str(model._meta.verbose_name) if model else room


def lead(model, *paths):
    """Where a row's `reference` is no column: the columns that it is made of, with "/" between them."""
    _paths[model._meta.label_lower] = paths


def _paths_of(model):
    if model._meta.label_lower in _paths:
        return _paths[model._meta.label_lower]
    if any(field.name == "reference" for field in model._meta.fields):
        return ("reference",)
    return () if hasattr(model, "reference") else ("pk",)


def pages_of(room, references):
    """{reference: address of its page on the desk}; without those that have none or are gone. One query at most."""
    model = model_of(room)
    paths = _paths_of(model) if model else ()
    split = [parts for parts in (reference.split("/") for reference in references) if len(parts) == len(paths)]
    try:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change" if split else ""
        if not name or not reverse(name, args=[1]):
            return {}
        wanted = {f"{path}__in": [parts[place] for parts in split] for place, path in enumerate(paths)}
        found = model._base_manager.filter(**wanted).values_list("pk", *paths)
        pages = {"/".join(map(str, parts)): reverse(name, args=[pk]) for pk, *parts in found}
    except (NoReverseMatch, ValueError):  # it has no page; or is named by what no row of it can be named by
        return {}
    return {reference: page for reference, page in pages.items() if reference in references}
