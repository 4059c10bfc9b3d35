"""How much of Airflow is in use, as the collector last heard, and what that holds back."""

from services.capacity.figures import Load, by_executor, by_queue
from services.capacity.reasons import Waiting, overall, why_waiting
from services.capacity.store import keep, latest

__all__ = ["Load", "Waiting", "by_executor", "by_queue", "keep", "latest", "overall", "why_waiting"]
