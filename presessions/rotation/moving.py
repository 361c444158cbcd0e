"""Writing everything again under the primary key. Room: rotation, wiring; sees every room."""

from dataclasses import dataclass, field

from django.db import IntegrityError, OperationalError, models, transaction
from django.db.models import Value
from django.db.models.functions import Now

from applications.letters import visitor
from applications.models import Organisation
from applications.uploads import FILES
from presessions import vault
from presessions.mail.models import Letter, Pace
from presessions.rotation.tables import AT_ONCE, Stored, tables
from presessions.trail import signing
from presessions.trail.models import Reason
from presessions.upr.names import fold

PASSES = 5  # over one table, until nobody has changed a row while we wrote it


@dataclass
class Moved:
    """What a rotation has done. Rows are named by model and key: nothing of a person is in here."""

    rows: int = 0
    files: int = 0
    overtaken: int = 0  # times that somebody else's step came first
    twins: list = field(default_factory=list)  # rows that stay: another has the same index under the new key
    unreadable: list = field(default_factory=list)  # rows and files that no key opens; left as they are


def rotate(tick=lambda what, done, of: None):
    """Move all of it; returns Moved. tick(what, done, of) is told how far it is."""
    moved = Moved()
    for table in tables():
        for _number in range(PASSES):
            before = moved.overtaken
            _rows(table, moved, tick)
            if moved.overtaken == before:
                break
    _names_of_organisations(moved)
    Pace.objects.filter(free_at__lte=Now()).delete()  # turns that are over: the next letter makes one under the new key
    _files(moved, tick)
    moved.twins, moved.unreadable = sorted({*moved.twins}), sorted({*moved.unreadable})
    return moved


# --- Rows -------------------------------------------------------------------------------------------------------------


def _rows(table, moved, tick):
    done, of = 0, table.number_of_rows()
    for rows in table.rows():
        visitors = _visitors(rows) if table.model is Letter else set()
        todo = [found for row in rows if (found := _to_do(table, row, moved, visitors))]
        if todo:
            _write(table, todo, moved)
        done += len(rows)
        tick(table.label, done, max(done, of))


def _visitors(rows):
    """Which letters of a page went to somebody of whom we know an address and nothing else."""
    kind, _id = visitor("")
    letters = Letter.objects.filter(pk__in=[row["pk"] for row in rows], recipient_kind=kind)
    return set(letters.values_list("pk", flat=True))


def _to_do(table, row, moved, visitors):
    """(key, {column: what stands there}, {column: what is to stand there}) of one row; None where nothing is to do."""
    old, new, plain, begin = {}, {}, {}, vault.written_by_primary()
    for column, one in table.fields.items():
        stored = bytes(row[column] or b"")
        if not stored:
            continue
        try:
            plain[column] = vault.decrypt(stored, one.place)
        except vault.Unreadable:
            moved.unreadable.append(f"{table.label} {row['pk']}, {column}")
            continue
        if not stored.startswith(begin):
            old[column], new[column] = stored, vault.encrypt(plain[column], one.place)
    for column, index in table.indexes.items():
        if index.of in plain and row[column]:
            fresh = vault.blind_index(index.kind, index.part(plain[index.of].decode()))
            if fresh != row[column]:
                old[column], new[column] = row[column], fresh
    if not new:
        return None
    if "to_index" in new and row["pk"] in visitors:
        _kind, new["recipient_id"] = visitor(new["to_index"])  # such letters are found by a part of the index
    if table.model is Reason:
        new |= _signature(row["pk"], plain["text"].decode())
    return row["pk"], old, new


def _signature(key, text):
    """The code over a reason, by which the trail knows it; nothing where it is not ours, or it would become so."""
    reason = Reason.objects.defer("text").select_related("event").filter(pk=key).first()
    if reason is None:
        return {}
    reason.text = text
    return {"signed": signing.sign_reason(reason).signed} if _is_ours(reason) else {}


def _is_ours(reason):
    try:
        return signing.reason_is_ours(reason)
    except vault.Unreadable:
        return False


def _write(table, todo, moved):
    try:
        with transaction.atomic():
            written = [_swap(table, *one) for one in todo]
    except (IntegrityError, OperationalError):  # a twin, or two who waited for each other: then one by one
        written = [_alone(table, one, moved) for one in todo]
    moved.rows += sum(one is True for one in written)
    moved.overtaken += sum(one is False for one in written)


def _alone(table, one, moved):
    try:
        with transaction.atomic():
            return _swap(table, *one)
    except IntegrityError:
        moved.twins.append(f"{table.label} {one[0]}")
        return None
    except OperationalError:
        return False


def _swap(table, key, old, new):
    """Compare and swap: whether the row still was as it was read."""
    sealed = {name: Stored(name) for name in old if name in table.fields}
    same = {f"stored_{name}" if name in sealed else name: value for name, value in old.items()}
    rows = table.model._base_manager.annotate(**{f"stored_{name}": one for name, one in sealed.items()})
    raw = {name: Value(value, output_field=models.BinaryField()) for name, value in new.items() if name in table.fields}
    return rows.filter(pk=key, **same).update(**new | raw) == 1


def _names_of_organisations(moved):
    """The known names, so far as their words still stand somewhere."""
    for organisation in Organisation.objects.order_by("pk").iterator(chunk_size=AT_ONCE):
        known = organisation.known_names
        for fresh, *others in _indexes_of_names(organisation):
            for row in known.filter(name_index__in=others):
                try:
                    with transaction.atomic():
                        moved.rows += known.filter(pk=row.pk).update(name_index=fresh)
                except IntegrityError:  # it is known under the new key, too
                    row.delete()


def _indexes_of_names(organisation):
    """The indexes of each name that an organisation has now, the one under the primary key first."""
    applied = organisation.applications.values_list("name", "name_latin")
    names = {fold(name) for pair in (*applied, (organisation.name, organisation.name_latin)) for name in pair} - {""}
    return [vault.blind_indexes("organisation", name) for name in names]


# --- Files ------------------------------------------------------------------------------------------------------------


def _files(moved, tick):
    primary = vault.keyset().primary
    for model, column in FILES:
        named = model.objects.exclude(**{column: ""}).order_by("pk")
        what, of = f"{model._meta.label}, {column}", named.count()
        for number, (key, name) in enumerate(named.values_list("pk", column).iterator(), start=1):
            try:
                if vault.storage.key_of(name) != primary:
                    vault.storage.write_again(name)
                    moved.files += 1
                    # Erased while we wrote? Then its file went before ours came. If later, its eraser removes ours.
                    if not model.objects.filter(**{column: name}).exists():
                        vault.storage.delete(name)
            except FileNotFoundError:
                continue  # erased; or missing, which is for another command to say
            except vault.Unreadable:
                moved.unreadable.append(f"{what} {key}")
            tick(what, number, max(number, of))
