"""Partitions: which range of a table's keys is served together, and how ranges are split."""
