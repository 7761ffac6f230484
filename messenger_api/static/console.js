// Elements with data-live="SECONDS" are kept fresh: the page is asked for again, and their content replaced.
