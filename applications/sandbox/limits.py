"""What every program in here does first, and the words in which it refuses. Room: applications, in the sandbox."""

import resource

MEMORY = 512 * 1024 * 1024
SECONDS = {"inspect": 20, "clean": 60, "count": 20, "text": 20}  # of work, however long others make it wait
OF_THE_DOOR = MEMORY * 7 // 8  # less than cleaning has, and a third of its time: what is let in can be cleaned


class No(Exception):
    """The file is refused; the argument is the word that says why."""


def give_up_rights(what):
    """Everything is imported by now: from here on this process opens no file and no socket, not even in the place of
    one that it closes first. What is open stays open: where the file comes from, and where the answer goes."""
    memory = OF_THE_DOOR if what == "inspect" else MEMORY
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS[what], SECONDS[what]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
