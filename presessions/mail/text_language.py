"""The small template language in which staff write a text for one series. Room: mail; imports its letters.

Variables, `if`, `for`, `with`, `firstof`, `comment`, and filters that only write. No file can be included, no library
loaded, nothing of Django's own reached: there is neither a loader nor a tag for it.
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache

from django.template import Engine, Library, Template, defaultfilters, defaulttags
from django.template.base import FilterExpression, Variable, VariableNode
from django.template.context import make_context
from django.utils import translation

from presessions.mail import letters, plurals

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
    library.filter("plural_form", _plural_form)
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


def _plural_form(number):
    return plurals.form(number, translation.get_language() or "en")


# --- What a template asks for ----------------------------------------------------------------------------------------


@dataclass
class Names:
    """The variables and filters of a template. What a loop goes through is written with "[]": "meetings[].state.name",
    whatever the loop calls it."""

    variables: set[str] = field(default_factory=set)
    filters: set[str] = field(default_factory=set)


def names(template):
    """The Names of a compiled template of this language."""
    found = Names()
    _walk(template.nodelist, {"forloop": ""}, found)
    return found


def places(template, name):
    """Where a compiled template says a variable as it is, through no filter: for each place the conditions that it
    hangs on, an empty set where every reader is told."""
    return [conditions for said, conditions in _said(template.nodelist, {"forloop": ""}, frozenset()) if said == name]


def _said(nodes, known, conditions):
    for node in nodes:
        if isinstance(node, VariableNode):
            yield _as_it_is(node.filter_expression, known), conditions
        elif isinstance(node, defaulttags.IfNode):
            before = ()
            for condition, inside in node.conditions_nodelists:
                before = (*before, _spelt(condition, known))  # a branch is taken when those before it are not
                yield from _said(inside, known, conditions | {before})
        elif isinstance(node, defaulttags.ForNode):
            of_loop = dict.fromkeys(node.loopvars, "")
            through = ("for", str(node.sequence), _ask(node.sequence, known, Names()))
            yield from _said(node.nodelist_loop, {**known, **of_loop}, conditions | {through})
            yield from _said(node.nodelist_empty, known, conditions | {(*through, "empty")})
        elif isinstance(node, defaulttags.WithNode):
            given = {name: _as_it_is(value, known) for name, value in node.extra_context.items()}
            yield from _said(node.nodelist, {**known, **given}, conditions)


def _as_it_is(expression, known):
    return "" if expression.filters else _ask(expression, known, Names())


def _spelt(condition, known):
    """A condition in a form that can be compared: its signs, and the variables that its names stand for."""
    if condition is None:  # of `else`
        return None
    if isinstance(condition, defaulttags.TemplateLiteral):
        return condition.text, _ask(condition.value, known, Names())
    return condition.id, *(_spelt(side, known) for side in (condition.first, condition.second))


def _walk(nodes, known, found):
    """known -- {name that a loop or `with` gave: the variable it stands for, or "" for nothing of the context}"""
    for node in nodes:
        if isinstance(node, VariableNode):
            _ask(node.filter_expression, known, found)
        elif isinstance(node, defaulttags.IfNode):
            for condition, inside in node.conditions_nodelists:
                _walk_condition(condition, known, found)
                _walk(inside, known, found)
        elif isinstance(node, defaulttags.ForNode):
            row = f"{_ask(node.sequence, known, found)}[]"
            parts = [row] if len(node.loopvars) == 1 else [f"{row}.{number}" for number in range(len(node.loopvars))]
            _walk(node.nodelist_loop, {**known, **dict(zip(node.loopvars, parts, strict=True))}, found)
            _walk(node.nodelist_empty, known, found)
        elif isinstance(node, defaulttags.WithNode):
            given = {name: _ask(value, known, found) for name, value in node.extra_context.items()}
            _walk(node.nodelist, {**known, **given}, found)
        elif isinstance(node, defaulttags.FirstOfNode):
            for value in node.vars:
                _ask(value, known, found)


def _walk_condition(condition, known, found):
    if condition is None:  # of `else`
        return
    if isinstance(condition, defaulttags.TemplateLiteral):
        _ask(condition.value, known, found)
        return
    for side in (condition.first, condition.second):
        if side is not None:
            _walk_condition(side, known, found)


def _ask(expression: FilterExpression, known, found):
    """Note what an expression needs; returns the variable that it begins with, "" for a constant."""
    for function, arguments in expression.filters:
        found.filters.add(function._filter_name)
        for is_variable, argument in arguments:
            if is_variable:
                _note(argument, known, found)
    return _note(expression.var, known, found) if isinstance(expression.var, Variable) else ""


def _note(variable, known, found):
    if not variable.lookups:
        return ""
    first, *others = variable.lookups
    first = known.get(first, first)
    if not first:
        return ""
    path = ".".join([first, *others])
    found.variables.add(path)
    return path
