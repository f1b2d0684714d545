"""Checkers: what concurrent histories say of a target. Each is pure computation over data that others recorded."""
