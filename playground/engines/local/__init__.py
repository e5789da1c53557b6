"""Models in worker processes of this machine: `pool` in the web process, torch only behind a pipe."""
