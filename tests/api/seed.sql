-- Rows of the application for scripts/check-api, with ids that hooks.py knows, so that calls can refer to existing rows.
-- Three of each.
INSERT INTO iso_agents (id, full_name)
    SELECT ('a0000000-0000-4000-8000-00000000000' || n)::uuid, 'Broker ' || n FROM generate_series(1, 3) n;
INSERT INTO conversations (id, subject)
    SELECT ('c0000000-0000-4000-8000-00000000000' || n)::uuid, 'Conversation ' || n FROM generate_series(1, 3) n;
INSERT INTO requests (id, departure_airport, arrival_airport)
    SELECT ('b0000000-0000-4000-8000-00000000000' || n)::uuid, 'KTEB', 'KPBI' FROM generate_series(1, 3) n;
INSERT INTO quotes (id, request_id, operator_name, total_price, aircraft_type)
    SELECT ('d0000000-0000-4000-8000-00000000000' || n)::uuid, ('b0000000-0000-4000-8000-00000000000' || n)::uuid,
        'Operator ' || n, 10000 + n, 'Light Jet' FROM generate_series(1, 3) n;
INSERT INTO proposals (id, request_id, title)
    SELECT ('e0000000-0000-4000-8000-00000000000' || n)::uuid, ('b0000000-0000-4000-8000-00000000000' || n)::uuid,
        'Proposal ' || n FROM generate_series(1, 3) n;
INSERT INTO chat_sessions (id, conversation_id, iso_agent_id, request_id, avinode_trip_id)
    SELECT ('f0000000-0000-4000-8000-00000000000' || n)::uuid, ('c0000000-0000-4000-8000-00000000000' || n)::uuid,
        ('a0000000-0000-4000-8000-00000000000' || n)::uuid, ('b0000000-0000-4000-8000-00000000000' || n)::uuid,
        'atrip-6495615' || n FROM generate_series(1, 3) n;
