"""`manage.py check_books`: whether database and private files agree, for a system timer and after a restore."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from applications import books

SENTENCES = {
    books.DELETED: "deleted  {name}  of application {owner}: the row is there, the file is not",
    books.ALTERED: "altered  {name}  of application {owner}: the file is not what was received, or its key is missing",
    books.ADDED: "added    {name}  no row names it",
}


class Command(BaseCommand):
    help = (
        "Compare every private file with the row that names it, and name each that is deleted, altered or added. "
        "Changes nothing; ends with 1 where the two disagree."
    )

    def handle(self, **options):
        self.read = 0
        found = 0
        for difference in books.differences(timezone.now(), tell=self.tell):
            found += 1
            sentence = SENTENCES[difference.what]
            self.stdout.write(sentence.format(name=difference.name, owner=difference.owner))
        if found:
            raise CommandError(f"Database and private files disagree about {found} files.")
        self.stdout.write(f"Database and private files agree: {self.read} files.")

    def tell(self, done, of):
        self.read = done
        if sys.stderr.isatty() and (done % 100 == 0 or done == of):
            self.stderr.write(f"\r{done} of {of} files read", ending="\n" if done == of else "")
