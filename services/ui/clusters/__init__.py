"""Parts of the clusters page."""
