"""Runs as many: orders about them, their history, and what it adds up to (pages/runs.py)."""
