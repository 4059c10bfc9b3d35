"""Carries one invocation from its queue slot to its end: dbt's process, how it is stopped, what its end means."""
