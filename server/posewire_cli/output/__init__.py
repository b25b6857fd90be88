"""Where answers go: lines, files of COCO and OpenPose, annotated images and videos."""
