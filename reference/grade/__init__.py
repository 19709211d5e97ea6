"""Grading: what an exercise is, and how answers to it are run."""
