"""The ledger of catalogs: runs, their batches and assets, what is made, what is spent; SQLite, or PostgreSQL by URL."""
