"""Pricing: what a workload costs a month in either capacity mode, with dated prices."""
