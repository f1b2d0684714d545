"""An application's recorded traffic, judged afterwards: overlapping calls, unknown items, unknown tables."""
