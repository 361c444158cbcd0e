"""The small template language in which staff write a text for one series. Room: mail; imports its letters.

Variables, `if`, `for`, `with`, `firstof`, `comment`, and filters that only write. No file can be included, no library
loaded, nothing of Django's own reached: there is neither a loader nor a tag for it.
"""

from functools import cache, lru_cache

from django.template import Engine, Library, Template, defaultfilters, defaulttags
from django.template.context import make_context

from presessions.mail import letters

TAGS = {
    "if": defaulttags.do_if,
    "for": defaulttags.do_for,
    "with": defaulttags.do_with,
    "firstof": defaulttags.firstof,
    "comment": defaulttags.comment,
}
FILTERS = ("capfirst", "default", "length", "lower", "upper")
OTHERS = ("django.", "crispy_forms.")  # whose filters are none of ours


class _Engine(Engine):
    default_builtins = []

    def __init__(self, library):
        super().__init__(loaders=[], autoescape=False, string_if_invalid=letters.MISSING)
        self.template_builtins = [library]


@cache
def engine():
    """An engine that can do nothing but what stands above, and write what our rooms have filters for."""
    library = Library()
    library.tags.update(TAGS)
    library.filters.update({name: defaultfilters.register.filters[name] for name in FILTERS})
    for name, module in letters.templates.engine.libraries.items():
        if not module.startswith(OTHERS):
            library.filters.update(letters.templates.engine.template_libraries[name].filters)
    return _Engine(library)


@lru_cache(maxsize=256)  # a mailing writes one text some hundred times
def compiled(source):
    """The text as a template. Raises TemplateSyntaxError."""
    return Template(source, engine=engine())


def rendered(source, context):
    """What a template says in the active language. Raises Unwritable for a variable that is not there."""
    return compiled(source).render(make_context(dict(context), autoescape=False))
