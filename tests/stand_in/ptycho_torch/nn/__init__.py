"""What a model is trained by."""
