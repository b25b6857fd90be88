"""Where images and frames come from: files, videos and cameras."""
