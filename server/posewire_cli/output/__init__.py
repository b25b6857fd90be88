"""Output formats: text, JSON, COCO and OpenPose files, annotated images and videos."""
