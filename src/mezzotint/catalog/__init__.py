"""From a manifest of products to a finished, priced, proven catalog: checked, planned, made, reported."""
