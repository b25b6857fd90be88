"""Sources of images and frames: files, videos and cameras."""
