-- The rows of alerts (docs/adr/0012-alerts-without-a-monitoring-system.md).
COMMENT ON COLUMN avinode_ingest.leader_leases.status IS
    'Published by the leader for the other processes, and taken over from the previous leader. For `fetching`: pauses, circuit breaker and suspension of its rate limit. For `alerts`: what was sent and what is to be sent. For the counter `refused_deliveries`: its total. For a process: its machine (boot and PID namespace), process id and start.';
