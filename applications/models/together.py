"""A row and the rows that belong to it, in one question. Room: applications.

`prefetch_related` asks once for each kind of row. A page of the form shows little of each kind and is asked for two
dozen times before an application is sent: there the way to the database and back is what costs. Here each kind comes
as one column of JSON and is put where `prefetch_related` would have put it.
"""

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, ManyToManyField, OuterRef
from django.db.models.functions import JSONObject

PREFIX = "together_"


class TogetherQuerySet:
    """Mixed into a queryset: `.together("speakers", "themes").first()` has both at hand without another question."""

    _together = ()

    def together(self, *names, **others):
        """names -- relations to many rows, as `prefetch_related` takes them
        others -- querysets of what does not belong to it and is shown beside it: lists, as attributes of that name
        """
        rows = {name: _of_relation(self.model, name) for name in names} | others
        found = self.annotate(**{PREFIX + name: ArraySubquery(_as_objects(some)) for name, some in rows.items()})
        found._together = (*self._together, *((name, some.model) for name, some in rows.items()))
        return found

    def _clone(self):
        clone = super()._clone()
        clone._together = self._together
        return clone

    def _fetch_all(self):
        is_new = self._result_cache is None
        super()._fetch_all()
        for row in self._result_cache if is_new and self._together else ():
            for name, model in self._together:
                _put(row, name, _made(model, row.__dict__.pop(PREFIX + name), self.db))


def _of_relation(model, name):
    relation = model._meta.get_field(name)
    there = relation.remote_field.name if isinstance(relation, ManyToManyField) else relation.field.name
    return relation.related_model._default_manager.filter(**{there: OuterRef("pk")})


def _as_objects(rows):
    """Each row as an object of its columns, in the order of its model."""
    return rows.values(
        row=JSONObject(**{field.attname: F(field.attname) for field in rows.model._meta.concrete_fields})
    )


def _made(model, objects, db):
    fields = model._meta.concrete_fields
    names = [field.attname for field in fields]
    return [model.from_db(db, names, [_value(field, one[field.attname]) for field in fields]) for one in objects]


def _value(field, value):
    """What a column would have given, from what JSON makes of it."""
    if value is None:
        return None
    if field.get_internal_type() == "BinaryField":  # what is encrypted, as "\\x0101…"
        return field.from_db_value(bytes.fromhex(value[2:]), None, None)
    return field.to_python(value)


def _put(row, name, found):
    relation = next((one for one in row._meta.get_fields() if one.name == name), None)
    if relation is None:
        setattr(row, name, found)
        return
    rows = getattr(row, name).all()
    rows._result_cache, rows._prefetch_done = found, True
    for one in () if isinstance(relation, ManyToManyField) else found:
        relation.field.set_cached_value(one, row)
    row.__dict__.setdefault("_prefetched_objects_cache", {})[name] = rows
