"""On-brand: adapters learnt from a few photographs of a product or a style, with evidence of what they do."""
