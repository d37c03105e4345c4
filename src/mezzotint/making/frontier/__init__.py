"""``frontier``: quality against calls and processor time, for every solver there is."""
