"""The tables.  Amounts are in millionths of their currency; what is spent is in the book of ``costs``, not here.  Times
are seconds of the epoch."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text

STATES = ("waiting", "done", "blocked", "unchecked", "parked")
"""Of an asset: left; made and in the catalog; refused by a gate; a gate could not check it; it failed for good."""

BATCH_STATES = ("waiting", "leased", "done", "parked")
RUN_STATES = ("running", "paused", "cancelled", "over_budget", "done")

meta = MetaData()

run = Table(
    "run",
    meta,
    Column("id", String(16), primary_key=True),
    Column("created", Float, nullable=False),
    Column("state", String(12), nullable=False),
    Column("address", Text, nullable=False),
    Column("manifest_sha256", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("factors", Text, nullable=False),
    Column("columns", Text, nullable=False),
    Column("rungs", Text, nullable=False),
    Column("planned_seconds", Float, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("per_hour", BigInteger, nullable=False),
    Column("cap", BigInteger),
    Column("book", String(16)),
    Column("seconds", Float, nullable=False),
    Column("rate", Float, nullable=False),
    Column("distinct_by", Float, nullable=False, default=0.0),
)
recipe = Table(
    "recipe",
    meta,
    Column("run", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False),
    Column("said", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("work", BigInteger, nullable=False),
)
batch = Table(
    "batch",
    meta,
    Column("run", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("recipe", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("owner", Text),
    Column("until", Float),
    Column("begin_after", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("used", Float, nullable=False),
    Column("error", Text),
    Index("batch_next", "run", "state", "number"),
)
asset = Table(
    "asset",
    meta,
    Column("run", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False),
    Column("recipe", Integer, nullable=False),
    Column("batch", Integer),
    Column("sku", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("levels", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("again", Integer, nullable=False, default=0),
    Column("state", String(9), nullable=False),
    Column("detail", Text),
    Index("asset_batch", "run", "batch"),
    Index("asset_state", "run", "state"),
    Index("asset_id", "run", "id"),
)
made = Table(
    "made",
    meta,
    Column("id", String(32), primary_key=True),
    Column("run", String(16), nullable=False),
    Column("receipt", String(32), nullable=False),
    Column("pixels_sha256", String(64), nullable=False),
    Column("file", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("detail", Text),
)
"""What was made, in whichever run: its primary key is why nothing is made twice."""
