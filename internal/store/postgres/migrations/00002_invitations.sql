-- +goose Up

-- Whether a response counts, and the checks against robots: arrays of strings.
ALTER TABLE response
    ADD COLUMN standing text COLLATE "C" NOT NULL DEFAULT 'counted',
    ADD COLUMN passed json NOT NULL DEFAULT '[]',
    ADD COLUMN failed json NOT NULL DEFAULT '[]',
    ADD CONSTRAINT response_standing CHECK (standing IN ('counted', 'suspect', 'annulled')) NOT VALID;

-- Invitations that were made, or skipped: skip says why. Nothing leads from a response to its invitation. answered_on is the
-- day of the last answer, counted from 1970-01-01. Where digest is NULL, the invitation is not known, but was answered for
-- single use: then invited_at and expires_at follow from that day, and no contact and no texts are known. Where both are
-- NULL, a transaction has taken the identity, and gives it content or up before it ends.
CREATE TABLE invitation (
    program     integer     NOT NULL REFERENCES program (id),
    id          uuid        NOT NULL,
    digest      bytea       CHECK (octet_length(digest) = 32),
    contact     bytea       CHECK (octet_length(contact) = 32),
    touchpoint  text        COLLATE "C" NOT NULL,
    unit        text        COLLATE "C" NOT NULL,
    invited_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    skip        text        COLLATE "C" NOT NULL
        CHECK (skip IN ('', 'program/invited', 'program/answered', 'namespace/invited', 'namespace/answered')),
    answered_on integer,
    PRIMARY KEY (program, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX invitation_by_contact ON invitation (contact) WHERE contact IS NOT NULL;
CREATE INDEX invitation_by_time ON invitation (program, invited_at, id);

-- Visits without a response yet. id is that of the response to come. Where position is -1, a transaction has taken the
-- identity, and gives it content or up before it ends.
CREATE TABLE visit (
    program    integer     NOT NULL REFERENCES program (id),
    id         uuid        NOT NULL,
    touchpoint text        COLLATE "C" NOT NULL,
    unit       text        COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    question   text        COLLATE "C" NOT NULL,
    position   integer     NOT NULL CHECK (position >= -1),
    PRIMARY KEY (program, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX visit_by_time ON visit (program, started_at, id);

-- What each kept response counts under. It has the columns that it had before: programs of the version before use it.
CREATE OR REPLACE VIEW counted AS
SELECT r.program, r.touchpoint, r.unit, a.question, a.revision,
       (extract(epoch FROM date_trunc('hour', r.submitted_at, 'UTC')) / 3600)::bigint AS hour,
       v.value, r.submitted_at, r.submission, a.submitted_at AS answered_at
FROM response AS r
JOIN answer AS a ON a.program = r.program AND a.submitted_at = r.submitted_at AND a.submission = r.submission
CROSS JOIN LATERAL (
    SELECT e.value COLLATE "C" AS value
    FROM json_array_elements_text(CASE a.kind WHEN 'text' THEN '[""]' ELSE a.vals END) AS e (value)
    UNION ALL
    SELECT '' COLLATE "C" WHERE a.kind = 'multiple'
) AS v
WHERE r.standing = 'counted'
UNION ALL
SELECT r.program, r.touchpoint, r.unit, '@suspect' COLLATE "C", 1,
       (extract(epoch FROM date_trunc('hour', r.submitted_at, 'UTC')) / 3600)::bigint,
       f.value COLLATE "C", r.submitted_at, r.submission, r.submitted_at
FROM response AS r
CROSS JOIN LATERAL json_array_elements_text(r.failed) AS f (value)
WHERE r.standing = 'suspect';

-- What each invitation counts under.
CREATE VIEW invitation_count AS
SELECT i.program, i.touchpoint, i.unit, c.question COLLATE "C" AS question, 1 AS revision,
       (extract(epoch FROM date_trunc('hour', i.invited_at, 'UTC')) / 3600)::bigint AS hour,
       i.skip AS value, i.id AS invitation
FROM invitation AS i
JOIN (VALUES ('@invited'), ('@answered'), ('@skipped')) AS c (question) ON CASE c.question
    WHEN '@invited' THEN i.digest IS NOT NULL AND i.skip = ''
    WHEN '@answered' THEN i.digest IS NOT NULL AND i.skip = '' AND i.answered_on IS NOT NULL
    ELSE i.skip <> ''
END;

-- What each visit counts under.
CREATE VIEW visit_count AS
SELECT program, touchpoint, unit, '@unfinished' COLLATE "C" AS question, 1 AS revision,
       (extract(epoch FROM date_trunc('hour', started_at, 'UTC')) / 3600)::bigint AS hour,
       question AS value, id AS visit
FROM visit WHERE position >= 0;
