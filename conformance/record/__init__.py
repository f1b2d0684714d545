"""The run folder: operations, traces, findings and run summaries, written and read here only."""
