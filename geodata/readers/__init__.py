"""Files and addresses in; a frame and what was noticed while reading out."""
