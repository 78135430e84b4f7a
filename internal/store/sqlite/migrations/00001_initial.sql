-- +goose Up

-- A short number for each program. import_id is its last finished import; seq is the last commit that changed its
-- counts or its import, and the greatest seq of all programs is the store's newest commit.
CREATE TABLE program (
    id        INTEGER PRIMARY KEY,
    namespace TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    import_id TEXT,
    seq       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace, name)
) STRICT;

-- The identity of every submission, kept when retention deletes its answers. id holds the 16 bytes of the UUID, digest
-- the SHA-256 of the canonical body.
CREATE TABLE submission (
    program INTEGER NOT NULL REFERENCES program (id),
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    receipt TEXT    NOT NULL,
    PRIMARY KEY (program, id)
) STRICT, WITHOUT ROWID;

-- submitted_at is in microseconds since 1970-01-01T00:00Z.
CREATE TABLE response (
    id           INTEGER PRIMARY KEY,
    program      INTEGER NOT NULL,
    submission   BLOB    NOT NULL,
    submitted_at INTEGER NOT NULL,
    touchpoint   TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    FOREIGN KEY (program, submission) REFERENCES submission (program, id)
) STRICT;

-- In the order of an export, and of retention.
CREATE UNIQUE INDEX response_by_time ON response (program, submitted_at, submission);

-- vals is a JSON array of strings.
CREATE TABLE answer (
    response INTEGER NOT NULL REFERENCES response (id) ON DELETE CASCADE,
    question TEXT    NOT NULL CHECK (question <> ''),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    kind     TEXT    NOT NULL CHECK (kind IN ('scale', 'single', 'multiple', 'text')),
    vals     TEXT    NOT NULL,
    PRIMARY KEY (response, question)
) STRICT, WITHOUT ROWID;

-- n answers of the hour have the value; retired of them are no longer kept. hour counts hours since 1970-01-01T00:00Z.
-- seq is the last commit that changed n.
CREATE TABLE rollup (
    program    INTEGER NOT NULL REFERENCES program (id),
    touchpoint TEXT    NOT NULL,
    unit       TEXT    NOT NULL,
    question   TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    hour       INTEGER NOT NULL,
    value      TEXT    NOT NULL,
    n          INTEGER NOT NULL,
    retired    INTEGER NOT NULL DEFAULT 0,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (program, touchpoint, unit, question, revision, hour, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX rollup_by_seq ON rollup (seq);

-- Every kept answer under every value that it counts under: the counts, made anew. The hour is rounded down before 1970,
-- too, where % is negative.
CREATE VIEW counted AS
SELECT r.program, r.touchpoint, r.unit, a.question, a.revision,
       (r.submitted_at - (r.submitted_at % 3600000000 + 3600000000) % 3600000000) / 3600000000 AS hour,
       v.value, r.id AS response
FROM response AS r
JOIN answer AS a ON a.response = r.id
JOIN json_each(CASE a.kind
    WHEN 'text' THEN '[""]'
    WHEN 'multiple' THEN json_insert(a.vals, '$[#]', '')
    ELSE a.vals
END) AS v;
