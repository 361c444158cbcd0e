"""A worker that is asked to end finishes the letter it has in hand, and takes no other. Room: mail."""

import mmap

from celery.signals import worker_shutting_down


class Leaving:
    """Whether this worker has been asked to end; looks like a threading.Event.

    SIGTERM reaches the worker's parent process, but letters are sent by its children, which would go on until their
    bell has rung out. They share one byte. It has no lock, so that a child that is killed while it looks at it cannot
    keep the others from looking.
    """

    def __init__(self):
        self._byte = mmap.mmap(-1, 1)  # anonymous memory, shared with every process forked from this one

    def is_set(self):
        return self._byte[0] == 1

    def set(self):
        self._byte[0] = 1

    def clear(self):
        self._byte[0] = 0


leaving = Leaving()


@worker_shutting_down.connect
def finish_the_letter_in_hand(**kwargs):
    leaving.set()
