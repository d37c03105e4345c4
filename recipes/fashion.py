"""The recipe ``fashion``."""
