"""The engine of ZeroGPU Spaces: the worker's decode loop inside one GPU call per comparison, in the web process."""
