"""Accuracy on COCO's terms."""
