"""HTTP: the API endpoint, files, pages and health."""
