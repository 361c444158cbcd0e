"""What every program in here does first, and the words in which it refuses. Room: applications, in the sandbox."""

import resource

MEMORY = 512 * 1024 * 1024
SECONDS = 20


class No(Exception):
    """The file is refused; the argument is the word that says why."""


def give_up_rights():
    """Everything is imported by now: from here on this process can open no file and no socket."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
