"""Tests of the stand-in for mesibo and the SMS network."""
