INSERT INTO program (id, namespace, name, import_id, seq) VALUES
    (1, 'airport', 'passengers', '0f8fad5b-d9cb-469f-a165-70867728950e', 4),
    (2, 'airport', 'tenants', NULL, 6),
    (3, 'airport', 'lounges', NULL, 8);
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

-- A case that is open, one that was contacted late and whose response was retired, and one whose contact was erased.
INSERT INTO submission (program, id, digest, receipt) VALUES
    (3, x'00000000000040008000000000000001', x'0101010101010101010101010101010101010101010101010101010101010101', 'R1');
INSERT INTO erased (program, id, digest, receipt, retired) VALUES
    (3, x'2c6fffcab26843097db88367988850a18a28059ca18e89cde1b9ac85ccc4e9eb',
        x'605f4c3f19a35c9a36fd86af5191f3e7a0ec752d499cb2d2d04180d27d38fc2d', 'R3', 1);
INSERT INTO response (id, program, submission, submitted_at, touchpoint, unit, language, standing, passed, failed) VALUES
    (5, 3, x'00000000000040008000000000000001', 1777896000000000, 'lounge', '', 'en', 'counted', '[]', '[]');
INSERT INTO answer (response, question, revision, kind, vals) VALUES (5, 'recommend', 1, 'scale', '["3"]');
INSERT INTO customer_case (program, id, touchpoint, language, reasons, state, opened_at, promised_by, contacted_at, resolved_at, plan,
    version, told, submission, receipt, contact, contact_hash, retention_days, expires_at, contact_erased_at) VALUES
    (3, x'000000000000400080000000000000c1', 'lounge', 'en', '["Detractor","LowScore"]', 'Open', 1777896000000000, 1778068800000000, NULL, NULL,
        '', 1, 0, x'00000000000040008000000000000001', 'R1', x'c1', x'0101010101010101010101010101010101010101010101010101010101010101', 30, NULL, NULL),
    (3, x'000000000000400080000000000000c3', 'lounge', '', '["ContactRequested"]', 'Contacted', 1777896000000000, 1778068800000000, 1778072400000000,
        NULL, 'quiet', 2, 1, NULL, 'R3', x'c3', x'0101010101010101010101010101010101010101010101010101010101010101', 30, 0, NULL),
    (3, x'000000000000400080000000000000c4', '', '', '["LowScore"]', 'Resolved', 1777896000000000, 1778068800000000, NULL, 1777899600000000,
        '', 2, 0, NULL, NULL, NULL, NULL, 30, NULL, 1777899600000000);
INSERT INTO case_event (program, id, version, at, actor, state, note) VALUES
    (3, x'000000000000400080000000000000c3', 2, 1778072400000000, 'jo', 'Contacted', 'called'),
    (3, x'000000000000400080000000000000c4', 2, 1777899600000000, '', 'Resolved', 'The contact was erased: nobody can be contacted any more.');
INSERT INTO case_notice (seq, program, id, transition, at, state, record, settled_at) VALUES
    (1, 3, x'000000000000400080000000000000c1', 'Opened', 1777896000000000, 'Pending', x'01', 1777896000000000),
    (2, 3, x'000000000000400080000000000000c3', 'Opened', 1777896000000000, 'Delivered', NULL, 1777896000000000),
    (3, 3, x'000000000000400080000000000000c3', 'Overdue', 1778068800000000, 'Dead', NULL, 1778068800000000);
INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, retired, seq) VALUES
    (3, 'lounge', '', 'recommend', 1, 493860, '3', 2, 1, 7),
    (3, 'lounge', '', '@case-due', 1, 493907, '', 1, 0, 8),
    (3, 'lounge', '', '@case-late', 1, 493907, '', 1, 0, 8),
    (3, 'lounge', '', '@case-open', 1, 493860, '', 2, 0, 8),
    (3, '', '', '@case-due', 1, 493907, '', 0, 0, 8),
    (3, '', '', '@case-open', 1, 493860, '', 0, 0, 8);
