INSERT INTO program (id, namespace, name, import_id, seq)
VALUES (1, 'airport', 'passengers', '0f8fad5b-d9cb-469f-a165-70867728950e', 4);
INSERT INTO submission (program, id, digest, receipt) VALUES
    (1, x'00000000000040008000000000000001', x'0101010101010101010101010101010101010101010101010101010101010101', 'R1'),
    (1, x'00000000000040008000000000000002', x'0202020202020202020202020202020202020202020202020202020202020202', 'R2'),
    (1, x'00000000000040008000000000000003', x'0303030303030303030303030303030303030303030303030303030303030303', 'R3');
INSERT INTO response (id, program, submission, submitted_at, touchpoint, unit, language) VALUES
    (1, 1, x'00000000000040008000000000000001', 1777896000000000, 'security', 'gates-a', 'en'),
    (2, 1, x'00000000000040008000000000000002', 1781352000000000, '', '', '');
INSERT INTO answer (response, question, revision, kind, vals) VALUES
    (1, 'lanes', 2, 'multiple', '["staff","signs"]'),
    (1, 'recommend', 1, 'scale', '["9"]'),
    (1, 'why', 1, 'text', '["Grüße, \"東京\""]'),
    (2, 'recommend', 1, 'scale', '["9"]');
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq) VALUES
    (1, 'security', 'gates-a', 'lanes', 2, 493860, '', 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'staff', 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'signs', 1, 0, 1),
    (1, 'security', 'gates-a', 'why', 1, 493860, '', 1, 0, 1),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 2, 1, 2),
    (1, '', '', 'recommend', 1, 494820, '9', 1, 0, 3);
