"""The web process as it is deployed: gunicorn's settings, and how it ends. Wiring.

    gunicorn --config=python:presessions.serving

Other numbers go into GUNICORN_CMD_ARGS, which gunicorn reads itself: GUNICORN_CMD_ARGS="--workers=3 --threads=8".
"""

from select import select

from gunicorn.workers.gthread import ThreadWorker

wsgi_app = "presessions.wsgi"
bind = "0.0.0.0:8000"  # inside a container; the proxy is the door
worker_class = "presessions.serving.Worker"
workers, threads = 1, 16  # for each replica; docker-compose has two of them
worker_tmp_dir = "/dev/shm"  # noqa: S108 -- a heartbeat, no file: memory, or a slow disk makes a worker look dead
control_socket_disable = True
graceful_timeout = 30  # seconds that requests in hand may take when the process is asked to end
accesslog = None  # the paths of personal links are secrets


class Worker(ThreadWorker):
    """A worker that answers all who have come to its door before it closes it.

    Asked to end, gunicorn's own finishes what it has in hand, but whoever has connected meanwhile waits in the queue of
    a socket that nobody looks at any more, and is thrown out at the end. A proxy cannot help there: it has handed over
    a POST and must not hand it to another replica. So the queue is emptied and the door closed at once: who comes later
    is refused before anything was handed over, and goes to the next.
    """

    def set_accept_enabled(self, enabled):
        super().set_accept_enabled(enabled)
        if not self.alive:
            self._let_in_and_close()

    def _let_in_and_close(self):
        for listener in self.sockets:
            while select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
        self.sockets = []
