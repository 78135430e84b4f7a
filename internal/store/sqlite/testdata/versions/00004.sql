INSERT INTO program (id, namespace, name, import_id, seq) VALUES
    (1, 'airport', 'passengers', '0f8fad5b-d9cb-469f-a165-70867728950e', 4),
    (2, 'airport', 'tenants', NULL, 6);
INSERT INTO submission (program, id, digest, receipt) VALUES
    (1, x'00000000000040008000000000000001', x'0101010101010101010101010101010101010101010101010101010101010101', 'R1'),
    (1, x'00000000000040008000000000000002', x'0202020202020202020202020202020202020202020202020202020202020202', 'R2'),
    (2, x'00000000000040008000000000000001', x'0101010101010101010101010101010101010101010101010101010101010101', 'R1'),
    (2, x'00000000000040008000000000000002', x'0202020202020202020202020202020202020202020202020202020202020202', 'R2');
INSERT INTO erased (program, id, digest, receipt, retired) VALUES
    (1, x'2c6fffcab26843097db88367988850a18a28059ca18e89cde1b9ac85ccc4e9eb',
        x'605f4c3f19a35c9a36fd86af5191f3e7a0ec752d499cb2d2d04180d27d38fc2d', 'R3', 1),
    (2, x'2c6fffcab26843097db88367988850a18a28059ca18e89cde1b9ac85ccc4e9eb',
        x'605f4c3f19a35c9a36fd86af5191f3e7a0ec752d499cb2d2d04180d27d38fc2d', 'R3', 1);
INSERT INTO response (id, program, submission, submitted_at, touchpoint, unit, language, standing, passed, failed) VALUES
    (1, 1, x'00000000000040008000000000000001', 1777896000000000, 'security', 'gates-a', 'en', 'counted', '[]', '[]'),
    (2, 1, x'00000000000040008000000000000002', 1781352000000000, '', '', '', 'counted', '[]', '[]'),
    (3, 2, x'00000000000040008000000000000001', 1777896000000000, 'gate', '', 'en', 'suspect', '["page"]', '["honeypot","time"]'),
    (4, 2, x'00000000000040008000000000000002', 1781352000000000, 'gate', '', '', 'annulled', '[]', '["proof"]');
INSERT INTO answer (response, question, revision, kind, vals) VALUES
    (1, 'lanes', 2, 'multiple', '["staff","signs"]'),
    (1, 'recommend', 1, 'scale', '["9"]'),
    (1, 'why', 1, 'text', '["Grüße, \"東京\""]'),
    (2, 'recommend', 1, 'scale', '["9"]'),
    (3, 'lanes', 2, 'multiple', '["staff","signs"]'),
    (3, 'recommend', 1, 'scale', '["9"]'),
    (3, 'why', 1, 'text', '["Grüße, \"東京\""]'),
    (4, 'recommend', 1, 'scale', '["9"]');
INSERT INTO invitation (program, id, digest, contact, touchpoint, unit, invited_at, expires_at, skip, answered_on) VALUES
    (2, x'000000000000400080000000000000a1', x'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1',
        x'0101010101010101010101010101010101010101010101010101010101010101', 'gate', '', 1777896000000000, 1780488000000000, '', 20577),
    (2, x'000000000000400080000000000000a2', x'a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2',
        x'0101010101010101010101010101010101010101010101010101010101010101', 'gate', '', 1777899600000000, 1780491600000000, 'program/invited', NULL),
    (2, x'000000000000400080000000000000a3', x'a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3',
        NULL, 'gate', '', 1777903200000000, 1780495200000000, '', NULL),
    (2, x'000000000000400080000000000000a4', NULL, NULL, '', '', 1777852800000000, 1812412800000000, '', 20577);
INSERT INTO visit (program, id, touchpoint, unit, started_at, question, position) VALUES
    (2, x'000000000000400080000000000000b1', 'gate', '', 1777896000000000, 'lanes', 1);
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq) VALUES
    (1, 'security', 'gates-a', 'lanes', 2, 493860, '', 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'staff', 1, 0, 1),
    (1, 'security', 'gates-a', 'lanes', 2, 493860, 'signs', 1, 0, 1),
    (1, 'security', 'gates-a', 'why', 1, 493860, '', 1, 0, 1),
    (1, 'security', 'gates-a', 'recommend', 1, 493860, '9', 2, 1, 2),
    (1, '', '', 'recommend', 1, 494820, '9', 1, 0, 3),
    (2, 'gate', '', 'recommend', 1, 493860, '9', 1, 1, 5),
    (2, 'gate', '', '@suspect', 1, 493860, 'honeypot', 1, 0, 5),
    (2, 'gate', '', '@suspect', 1, 493860, 'time', 1, 0, 5),
    (2, 'gate', '', '@invited', 1, 493860, '', 1, 0, 6),
    (2, 'gate', '', '@answered', 1, 493860, '', 1, 0, 6),
    (2, 'gate', '', '@skipped', 1, 493861, 'program/invited', 1, 0, 6),
    (2, 'gate', '', '@invited', 1, 493862, '', 1, 0, 6),
    (2, 'gate', '', '@unfinished', 1, 493860, 'lanes', 1, 0, 6),
    (2, 'gate', '', '@completed', 1, 493859, '', 1, 0, 6),
    (2, 'gate', '', '@seconds', 1, 493859, '90', 1, 0, 6);
