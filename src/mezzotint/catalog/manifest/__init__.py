"""The manifest: a table with a row for each product, read from CSV, JSONL or Parquet, and checked before any work."""
