"""One DataModule a data set, and what turns a raw download into what they read."""
