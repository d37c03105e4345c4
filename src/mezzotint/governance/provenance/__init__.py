"""Provenance: a private receipt, a public credential that is signed last, and a ledger of both."""
