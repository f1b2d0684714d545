"""Metrics: what CloudWatch would show of a table, by the minute, and which keys are asked for most."""
