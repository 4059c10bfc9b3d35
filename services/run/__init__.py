"""One run in depth: what pages/run.py tells of it beyond its row, each question a module."""
