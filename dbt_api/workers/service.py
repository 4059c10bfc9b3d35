"""What runs beside the routes for as long as the process lives: the lease, the queue, the caretaker."""

import threading

from contracts.dbt_api import InvocationState
from dbt_api import queue, store
from dbt_api.database import migrate
from dbt_api.sealing import OtherSealingKey, check_key
from dbt_api.settings import settings
from dbt_api.workers import lost
from dbt_api.workers.caretaker import Caretaker
from dbt_api.workers.lease import lease
from dbt_api.workers.registry import WorkerRefused

NEEDS_POSTGRES = (
    "Server and worker can be separate processes on Postgres only: set PILOTHOUSE_DBT_API_DATABASE_URL, "
    "or let `serve` be both."
)


class Service:
    """Started in two steps: what may refuse comes before anything is served."""

    def __init__(self) -> None:
        self._is_prepared = False
        self._stopping = threading.Lock()
        self._caretaker = Caretaker()

    def prepare(self, *, alone: bool = True) -> None:
        """Bring the schema up, compare keys, and become a worker, if this process is one. Safe to repeat.

        `alone`: whether this process is server and worker in one. Raises WorkerRefused.
        """
        if self._is_prepared:
            return
        if not settings().is_shared and not alone:
            raise WorkerRefused(NEEDS_POSTGRES)
        migrate()
        try:
            check_key()
        except OtherSealingKey as other:
            raise WorkerRefused(str(other)) from other
        if settings().worker and lease.take():
            for row in store.in_state(InvocationState.STARTED):
                if row.worker == settings().worker_name:
                    lost.account_for(row, "The worker came back with an empty data folder, so what it ran is lost.")
        self._is_prepared = True

    def start(self) -> None:
        """Open the queue and look after it."""
        self.prepare(alone=settings().worker)
        queue.open_queue(takes_work=settings().worker)
        self._caretaker.start()

    def stop(self) -> None:
        """Take no more work, end what runs, say farewell. A second call waits for the first."""
        with self._stopping:
            self._caretaker.stop()
            queue.close_queue()
            lease.give_back()


service = Service()
