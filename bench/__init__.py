"""Figures that the README and the decisions quote; counts and ratios of one run, never timed tests."""
