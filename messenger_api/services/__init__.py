"""What each op means. Used by `ops` and by the command line; knows nothing of HTTP or wire names."""
