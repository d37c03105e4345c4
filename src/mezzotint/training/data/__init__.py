"""Where training samples come from: one protocol, five layouts, an order that is a pure function of (seed, epoch)."""
