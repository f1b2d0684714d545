"""Global tables, version 2019.11.21: the same table in several regions (beyond:GT-1 … GT-20)."""
