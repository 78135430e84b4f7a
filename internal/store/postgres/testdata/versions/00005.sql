CREATE TABLE response_2026_05 (LIKE response INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE response ATTACH PARTITION response_2026_05 FOR VALUES FROM ('2026-05-01 00:00+00') TO ('2026-06-01 00:00+00');
CREATE TABLE answer_2026_05 (LIKE answer INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE answer ATTACH PARTITION answer_2026_05 FOR VALUES FROM ('2026-05-01 00:00+00') TO ('2026-06-01 00:00+00');
CREATE TABLE response_2026_06 (LIKE response INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE response ATTACH PARTITION response_2026_06 FOR VALUES FROM ('2026-06-01 00:00+00') TO ('2026-07-01 00:00+00');
CREATE TABLE answer_2026_06 (LIKE answer INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE answer ATTACH PARTITION answer_2026_06 FOR VALUES FROM ('2026-06-01 00:00+00') TO ('2026-07-01 00:00+00');

INSERT INTO program (namespace, name, import_id) VALUES ('airport', 'passengers', '0f8fad5b-d9cb-469f-a165-70867728950e'), ('airport', 'tenants', NULL), ('airport', 'lounges', NULL);
INSERT INTO submission (program, id, digest, receipt, submitted_at) VALUES
    (1, '00000000-0000-4000-8000-000000000001', decode(repeat('01', 32), 'hex'), 'R1', '2026-05-04 12:00+00'),
    (1, '00000000-0000-4000-8000-000000000002', decode(repeat('02', 32), 'hex'), 'R2', '2026-06-13 12:00+00'),
    (2, '00000000-0000-4000-8000-000000000001', decode(repeat('01', 32), 'hex'), 'R1', '2026-05-04 12:00+00'),
    (2, '00000000-0000-4000-8000-000000000002', decode(repeat('02', 32), 'hex'), 'R2', '2026-06-13 12:00+00');
INSERT INTO erased (program, id, digest, receipt) VALUES
    (1, '\x2c6fffcab26843097db88367988850a18a28059ca18e89cde1b9ac85ccc4e9eb',
        '\x605f4c3f19a35c9a36fd86af5191f3e7a0ec752d499cb2d2d04180d27d38fc2d', 'R3'),
    (2, '\x2c6fffcab26843097db88367988850a18a28059ca18e89cde1b9ac85ccc4e9eb',
        '\x605f4c3f19a35c9a36fd86af5191f3e7a0ec752d499cb2d2d04180d27d38fc2d', 'R3');
INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language, standing, passed, failed) VALUES
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'security', 'gates-a', 'en', 'counted', '[]', '[]'),
    (1, '2026-06-13 12:00+00', '00000000-0000-4000-8000-000000000002', '', '', '', 'counted', '[]', '[]'),
    (2, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'gate', '', 'en', 'suspect', '["page"]', '["honeypot","time"]'),
    (2, '2026-06-13 12:00+00', '00000000-0000-4000-8000-000000000002', 'gate', '', '', 'annulled', '[]', '["proof"]');
INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals) VALUES
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'lanes', 2, 'multiple', '["staff","signs"]'),
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'recommend', 1, 'scale', '["9"]'),
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'why', 1, 'text', '["Grüße, \"東京\""]'),
    (1, '2026-06-13 12:00+00', '00000000-0000-4000-8000-000000000002', 'recommend', 1, 'scale', '["9"]'),
    (2, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'lanes', 2, 'multiple', '["staff","signs"]'),
    (2, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'recommend', 1, 'scale', '["9"]'),
    (2, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'why', 1, 'text', '["Grüße, \"東京\""]'),
    (2, '2026-06-13 12:00+00', '00000000-0000-4000-8000-000000000002', 'recommend', 1, 'scale', '["9"]');
INSERT INTO invitation (program, id, digest, contact, touchpoint, unit, invited_at, expires_at, skip, answered_on) VALUES
    (2, '00000000-0000-4000-8000-0000000000a1', decode(repeat('a1', 32), 'hex'), decode(repeat('01', 32), 'hex'), 'gate', '',
        '2026-05-04 12:00+00', '2026-06-03 12:00+00', '', 20577),
    (2, '00000000-0000-4000-8000-0000000000a2', decode(repeat('a2', 32), 'hex'), decode(repeat('01', 32), 'hex'), 'gate', '',
        '2026-05-04 13:00+00', '2026-06-03 13:00+00', 'program/invited', NULL),
    (2, '00000000-0000-4000-8000-0000000000a3', decode(repeat('a3', 32), 'hex'), NULL, 'gate', '',
        '2026-05-04 14:00+00', '2026-06-03 14:00+00', '', NULL),
    (2, '00000000-0000-4000-8000-0000000000a4', NULL, NULL, '', '', '2026-05-04 00:00+00', '2027-06-08 00:00+00', '', 20577);
INSERT INTO visit (program, id, touchpoint, unit, started_at, question, position) VALUES
    (2, '00000000-0000-4000-8000-0000000000b1', 'gate', '', '2026-05-04 12:00+00', 'lanes', 1);
-- Two processes have counted, and a third has retired.
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq) VALUES
    (1, 'security', 'gates-a', 'lanes', 2, 493860, '', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'staff', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'signs', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'why', 1, 493860, '', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 1, 1, 0, 2),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 2, 0, 1, 0),
    (1, '', '', 'recommend', 1, 494820, '9', 1, 1, 0, 3),
    (2, 'gate', '', 'recommend', 1, 493860, '9', 0, 1, 0, 5),
    (2, 'gate', '', 'recommend', 1, 493860, '9', 2, 0, 1, 0),
    (2, 'gate', '', '@suspect', 1, 493860, 'honeypot', 0, 1, 0, 5),
    (2, 'gate', '', '@suspect', 1, 493860, 'time', 0, 1, 0, 5),
    (2, 'gate', '', '@invited', 1, 493860, '', 1, 1, 0, 6),
    (2, 'gate', '', '@answered', 1, 493860, '', 0, 1, 0, 5),
    (2, 'gate', '', '@skipped', 1, 493861, 'program/invited', 1, 1, 0, 6),
    (2, 'gate', '', '@invited', 1, 493862, '', 1, 1, 0, 6),
    (2, 'gate', '', '@unfinished', 1, 493860, 'staff', 0, 1, 0, 5),
    (2, 'gate', '', '@unfinished', 1, 493860, 'staff', 1, -1, 0, 6),
    (2, 'gate', '', '@unfinished', 1, 493860, 'lanes', 1, 1, 0, 6),
    (2, 'gate', '', '@completed', 1, 493859, '', 1, 1, 0, 6),
    (2, 'gate', '', '@seconds', 1, 493859, '90', 1, 1, 0, 6);
INSERT INTO progress (program, slot, seq) VALUES (1, 0, 1), (1, 1, 4), (2, 0, 5), (2, 1, 6);
-- A case that is open, one that was contacted late and whose response was retired, and one whose contact was erased.
INSERT INTO submission (program, id, digest, receipt, submitted_at) VALUES
    (3, '00000000-0000-4000-8000-000000000001', decode(repeat('01', 32), 'hex'), 'R1', '2026-05-04 12:00+00');
INSERT INTO erased (program, id, digest, receipt) VALUES
    (3, '\x2c6fffcab26843097db88367988850a18a28059ca18e89cde1b9ac85ccc4e9eb',
        '\x605f4c3f19a35c9a36fd86af5191f3e7a0ec752d499cb2d2d04180d27d38fc2d', 'R3');
INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language, standing, passed, failed) VALUES
    (3, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'lounge', '', 'en', 'counted', '[]', '[]');
INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals) VALUES
    (3, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'recommend', 1, 'scale', '["3"]');
INSERT INTO customer_case (program, id, touchpoint, language, reasons, state, opened_at, promised_by, contacted_at, resolved_at, plan,
    version, told, submission, receipt, contact, contact_hash, retention_days, expires_at, contact_erased_at) VALUES
    (3, '00000000-0000-4000-8000-0000000000c1', 'lounge', 'en', '["Detractor","LowScore"]', 'Open', '2026-05-04 12:00+00', '2026-05-06 12:00+00',
        NULL, NULL, '', 1, false, '00000000-0000-4000-8000-000000000001', 'R1', '\xc1', decode(repeat('01', 32), 'hex'), 30, NULL, NULL),
    (3, '00000000-0000-4000-8000-0000000000c3', 'lounge', '', '["ContactRequested"]', 'Contacted', '2026-05-04 12:00+00', '2026-05-06 12:00+00',
        '2026-05-06 13:00+00', NULL, 'quiet', 2, true, NULL, 'R3', '\xc3', decode(repeat('01', 32), 'hex'), 30, '1970-01-01 00:00+00', NULL),
    (3, '00000000-0000-4000-8000-0000000000c4', '', '', '["LowScore"]', 'Resolved', '2026-05-04 12:00+00', '2026-05-06 12:00+00',
        NULL, '2026-05-04 13:00+00', '', 2, false, NULL, NULL, NULL, NULL, 30, NULL, '2026-05-04 13:00+00');
INSERT INTO case_event (program, id, version, at, actor, state, note) VALUES
    (3, '00000000-0000-4000-8000-0000000000c3', 2, '2026-05-06 13:00+00', 'jo', 'Contacted', 'called'),
    (3, '00000000-0000-4000-8000-0000000000c4', 2, '2026-05-04 13:00+00', '', 'Resolved', 'The contact was erased: nobody can be contacted any more.');
INSERT INTO case_notice (program, id, transition, at, state, record, settled_at) VALUES
    (3, '00000000-0000-4000-8000-0000000000c1', 'Opened', '2026-05-04 12:00+00', 'Pending', '\x01', '2026-05-04 12:00+00'),
    (3, '00000000-0000-4000-8000-0000000000c3', 'Opened', '2026-05-04 12:00+00', 'Delivered', NULL, '2026-05-04 12:00+00'),
    (3, '00000000-0000-4000-8000-0000000000c3', 'Overdue', '2026-05-06 12:00+00', 'Dead', NULL, '2026-05-06 12:00+00');
-- One process opened the cases, another changed them.
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq) VALUES
    (3, 'lounge', '', 'recommend', 1, 493860, '3', 0, 2, 0, 7),
    (3, 'lounge', '', 'recommend', 1, 493860, '3', 2, 0, 1, 0),
    (3, 'lounge', '', '@case-due', 1, 493907, '', 0, 2, 0, 7),
    (3, 'lounge', '', '@case-due', 1, 493907, '', 1, -1, 0, 8),
    (3, 'lounge', '', '@case-late', 1, 493907, '', 1, 1, 0, 8),
    (3, 'lounge', '', '@case-open', 1, 493860, '', 0, 2, 0, 7),
    (3, '', '', '@case-due', 1, 493907, '', 0, 1, 0, 7),
    (3, '', '', '@case-due', 1, 493907, '', 1, -1, 0, 8),
    (3, '', '', '@case-open', 1, 493860, '', 0, 1, 0, 7),
    (3, '', '', '@case-open', 1, 493860, '', 1, -1, 0, 8);
INSERT INTO progress (program, slot, seq) VALUES (3, 0, 7), (3, 1, 8);
SELECT setval('commit_seq', 8);
-- The first process has this version.
UPDATE rollup SET number = seq, seq = 1::bigint << 62 | seq | 63 WHERE slot = 0 AND seq > 0;
