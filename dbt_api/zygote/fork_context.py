"""Imported before the rest of dbt: its locks come from the fork context.

dbt's own choice, spawn, starts a resource tracker process in every invocation, which outlives it. dbt's classes take
the context while they are being defined, hence the order.
"""

import multiprocessing

import dbt.mp_context

if hasattr(dbt.mp_context, "_MP_CONTEXT"):
    dbt.mp_context._MP_CONTEXT = multiprocessing.get_context("fork")  # type: ignore[assignment]
