CREATE TABLE response_2026_05 (LIKE response INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE response ATTACH PARTITION response_2026_05 FOR VALUES FROM ('2026-05-01 00:00+00') TO ('2026-06-01 00:00+00');
CREATE TABLE answer_2026_05 (LIKE answer INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE answer ATTACH PARTITION answer_2026_05 FOR VALUES FROM ('2026-05-01 00:00+00') TO ('2026-06-01 00:00+00');
CREATE TABLE response_2026_06 (LIKE response INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE response ATTACH PARTITION response_2026_06 FOR VALUES FROM ('2026-06-01 00:00+00') TO ('2026-07-01 00:00+00');
CREATE TABLE answer_2026_06 (LIKE answer INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE answer ATTACH PARTITION answer_2026_06 FOR VALUES FROM ('2026-06-01 00:00+00') TO ('2026-07-01 00:00+00');

INSERT INTO program (namespace, name, import_id) VALUES ('airport', 'passengers', '0f8fad5b-d9cb-469f-a165-70867728950e');
INSERT INTO submission (program, id, digest, receipt, submitted_at) VALUES
    (1, '00000000-0000-4000-8000-000000000001', decode(repeat('01', 32), 'hex'), 'R1', '2026-05-04 12:00+00'),
    (1, '00000000-0000-4000-8000-000000000002', decode(repeat('02', 32), 'hex'), 'R2', '2026-06-13 12:00+00'),
    (1, '00000000-0000-4000-8000-000000000003', decode(repeat('03', 32), 'hex'), 'R3', '2026-05-04 12:00+00');
INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language) VALUES
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'security', 'gates-a', 'en'),
    (1, '2026-06-13 12:00+00', '00000000-0000-4000-8000-000000000002', '', '', '');
INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals) VALUES
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'lanes', 2, 'multiple', '["staff","signs"]'),
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'recommend', 1, 'scale', '["9"]'),
    (1, '2026-05-04 12:00+00', '00000000-0000-4000-8000-000000000001', 'why', 1, 'text', '["Grüße, \"東京\""]'),
    (1, '2026-06-13 12:00+00', '00000000-0000-4000-8000-000000000002', 'recommend', 1, 'scale', '["9"]');
-- Two processes have counted, and a third has retired.
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq) VALUES
    (1, 'security', 'gates-a', 'lanes', 2, 493860, '', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'staff', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'signs', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'why', 1, 493860, '', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 0, 1, 0, 1),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 1, 1, 0, 2),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 2, 0, 1, 0),
    (1, '', '', 'recommend', 1, 494820, '9', 1, 1, 0, 3);
INSERT INTO progress (program, slot, seq) VALUES (1, 0, 1), (1, 1, 4);
SELECT setval('commit_seq', 4);
