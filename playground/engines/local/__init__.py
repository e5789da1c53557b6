"""Models in worker processes of this machine: `engine` in the web process, torch only behind a pipe."""
