"""Speed and memory against other programs and against a measured floor: `python -m benchmarks`, or `make bench`."""
