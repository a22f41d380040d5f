"""
Threads that read files, for as long as the service runs.
"""

from __future__ import annotations

from twisted.python.threadpool import ThreadPool


class Readers(ThreadPool):
    """
    A pool of threads that can be started again after it was stopped, as a service can be: Twisted's own ends for good.
    """

    def start(self) -> None:
        if self.joined:
            ThreadPool.__init__(self, self.min, self.max, self.name)
        super().start()
