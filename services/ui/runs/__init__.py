"""Parts of the history page and of comparing two runs."""
