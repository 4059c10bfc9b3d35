"""Parts of the projects' pages."""
