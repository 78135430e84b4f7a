-- +goose Up

-- Whether a response counts, and the checks against robots: JSON arrays of strings.
ALTER TABLE response ADD COLUMN standing TEXT NOT NULL DEFAULT 'counted' CHECK (standing IN ('counted', 'suspect', 'annulled'));
ALTER TABLE response ADD COLUMN passed TEXT NOT NULL DEFAULT '[]';
ALTER TABLE response ADD COLUMN failed TEXT NOT NULL DEFAULT '[]';

-- Invitations that were made, or skipped: skip says why. Nothing leads from a response to its invitation. answered_on is the
-- day of the last answer, counted from 1970-01-01. Where digest is NULL, the invitation is not known, but was answered for
-- single use: then invited_at and expires_at follow from that day, and no contact and no texts are known.
CREATE TABLE invitation (
    program     INTEGER NOT NULL REFERENCES program (id),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    digest      BLOB    CHECK (length(digest) = 32),
    contact     BLOB    CHECK (length(contact) = 32),
    touchpoint  TEXT    NOT NULL,
    unit        TEXT    NOT NULL,
    invited_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    skip        TEXT    NOT NULL CHECK (skip IN ('', 'program/invited', 'program/answered', 'namespace/invited', 'namespace/answered')),
    answered_on INTEGER,
    PRIMARY KEY (program, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX invitation_by_contact ON invitation (contact) WHERE contact IS NOT NULL;
CREATE INDEX invitation_by_time ON invitation (program, invited_at);

-- Visits without a response yet. id is that of the response to come.
CREATE TABLE visit (
    program    INTEGER NOT NULL REFERENCES program (id),
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    touchpoint TEXT    NOT NULL,
    unit       TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    question   TEXT    NOT NULL,
    position   INTEGER NOT NULL CHECK (position >= 0),
    PRIMARY KEY (program, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX visit_by_time ON visit (program, started_at);

-- Retention leaves what erasure leaves; then retired is 1. What it left before is rewritten: the functions are the
-- program's, and must stay what they are. Without the indexes meanwhile, it takes half the time.
ALTER TABLE erased ADD COLUMN retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1));
DROP INDEX erased_by_receipt;
DROP INDEX submission_by_receipt;
INSERT INTO erased (program, id, digest, receipt, retired)
SELECT program, tombstone_id(id), tombstone_digest(id, digest), receipt, 1 FROM submission AS s
WHERE NOT EXISTS (SELECT 1 FROM response AS r WHERE r.program = s.program AND r.submission = s.id);
DELETE FROM submission
WHERE NOT EXISTS (SELECT 1 FROM response AS r WHERE r.program = submission.program AND r.submission = submission.id);
CREATE INDEX erased_by_receipt ON erased (program, receipt);
CREATE INDEX submission_by_receipt ON submission (program, receipt);

-- What each response counts under.
DROP VIEW counted;
CREATE VIEW response_count AS
SELECT r.program, r.touchpoint, r.unit, a.question, a.revision,
       (r.submitted_at - (r.submitted_at % 3600000000 + 3600000000) % 3600000000) / 3600000000 AS hour,
       v.value, r.id AS response
FROM response AS r
JOIN answer AS a ON a.response = r.id
JOIN json_each(CASE a.kind
    WHEN 'text' THEN '[""]'
    WHEN 'multiple' THEN json_insert(a.vals, '$[#]', '')
    ELSE a.vals
END) AS v
WHERE r.standing = 'counted'
UNION ALL
SELECT r.program, r.touchpoint, r.unit, '@suspect', 1,
       (r.submitted_at - (r.submitted_at % 3600000000 + 3600000000) % 3600000000) / 3600000000,
       f.value, r.id
FROM response AS r
JOIN json_each(r.failed) AS f
WHERE r.standing = 'suspect';

-- What each invitation counts under.
CREATE VIEW invitation_count AS
SELECT program, touchpoint, unit, '@invited' AS question, 1 AS revision,
       (invited_at - (invited_at % 3600000000 + 3600000000) % 3600000000) / 3600000000 AS hour,
       '' AS value, id AS invitation
FROM invitation WHERE digest IS NOT NULL AND skip = ''
UNION ALL
SELECT program, touchpoint, unit, '@answered', 1,
       (invited_at - (invited_at % 3600000000 + 3600000000) % 3600000000) / 3600000000, '', id
FROM invitation WHERE digest IS NOT NULL AND skip = '' AND answered_on IS NOT NULL
UNION ALL
SELECT program, touchpoint, unit, '@skipped', 1,
       (invited_at - (invited_at % 3600000000 + 3600000000) % 3600000000) / 3600000000, skip, id
FROM invitation WHERE skip <> '';

-- What each visit counts under.
CREATE VIEW visit_count AS
SELECT program, touchpoint, unit, '@unfinished' AS question, 1 AS revision,
       (started_at - (started_at % 3600000000 + 3600000000) % 3600000000) / 3600000000 AS hour,
       question AS value, id AS visit
FROM visit;

-- The counts, made anew, of all that is kept.
CREATE VIEW counted AS
SELECT program, touchpoint, unit, question, revision, hour, value FROM response_count
UNION ALL
SELECT program, touchpoint, unit, question, revision, hour, value FROM invitation_count
UNION ALL
SELECT program, touchpoint, unit, question, revision, hour, value FROM visit_count;
