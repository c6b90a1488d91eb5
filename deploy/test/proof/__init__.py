"""The steps of deploy/test/run: loads, sums and verdicts. Standard library only."""
