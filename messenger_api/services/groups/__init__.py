"""Groups, here and at mesibo."""
