"""From a raw download to what the data modules read."""
