-- Each process with workers keeps a lease of its own beside those of leaders: `process/` and its name.
COMMENT ON TABLE avinode_ingest.leader_leases IS
    'Leader leases and the last runs of periodic tasks, one row per task that one process at a time performs; and one row per process with workers, whose jobs are taken over when its lease runs out.';
COMMENT ON COLUMN avinode_ingest.leader_leases.name IS 'Name of the task, or `process/` and the name of the process.';
COMMENT ON COLUMN avinode_ingest.leader_leases.status IS
    'Published by the leader for the other processes, and taken over from the previous leader. For `fetching`: pauses, circuit breaker and suspension of its rate limit. For a process: its machine (boot and PID namespace), process id and start.';
