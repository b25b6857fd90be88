"""COCO accuracy."""
