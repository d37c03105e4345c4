"""The product stays as it was photographed: its pixels kept to the bit, or compared with the photograph."""
