"""One folder per outside world, with the file names of the ports they answer."""
