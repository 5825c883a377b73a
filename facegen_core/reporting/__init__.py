"""Published tables, ours beside theirs, and figures."""
