"""What the command line offers of the suite: one module for each group of commands."""
