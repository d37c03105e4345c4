"""What a run leaves for people and machines: one page, and its rows as CSV and JSON."""
