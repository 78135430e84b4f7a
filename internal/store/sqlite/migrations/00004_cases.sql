-- +goose Up

-- The promises to respondents. submission is the response's identity, NULL once retention or erasure deleted that. contact is
-- sealed; it, its hash, the response's receipt and expires_at (when it is to be erased) are NULL once the contact is erased.
-- told is 1 once there was a notice that the case is overdue. Times are in microseconds since 1970-01-01T00:00Z.
CREATE TABLE customer_case (
    program           INTEGER NOT NULL REFERENCES program (id),
    id                BLOB    NOT NULL CHECK (length(id) = 16),
    touchpoint        TEXT    NOT NULL,
    language          TEXT    NOT NULL,
    reasons           TEXT    NOT NULL,
    state             TEXT    NOT NULL CHECK (state IN ('Open', 'Contacted', 'Resolved', 'Informed')),
    opened_at         INTEGER NOT NULL,
    promised_by       INTEGER NOT NULL CHECK (promised_by % 3600000000 = 0),
    contacted_at      INTEGER,
    resolved_at       INTEGER,
    informed_at       INTEGER,
    plan              TEXT    NOT NULL DEFAULT '',
    version           INTEGER NOT NULL DEFAULT 1,
    told              INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),
    submission        BLOB    CHECK (length(submission) = 16),
    receipt           TEXT,
    contact           BLOB,
    contact_hash      BLOB    CHECK (length(contact_hash) = 32),
    retention_days    INTEGER NOT NULL,
    expires_at        INTEGER,
    contact_erased_at INTEGER,
    PRIMARY KEY (program, id)
) STRICT;

-- Lists are unions over the states.
CREATE INDEX case_by_state ON customer_case (program, state, promised_by, id);
CREATE INDEX case_by_touchpoint ON customer_case (program, touchpoint, state, promised_by, id);
CREATE INDEX case_untold ON customer_case (program, promised_by, id) WHERE state = 'Open' AND told = 0;
CREATE INDEX case_by_submission ON customer_case (program, submission) WHERE submission IS NOT NULL;
CREATE INDEX case_by_receipt ON customer_case (program, receipt) WHERE receipt IS NOT NULL;
CREATE INDEX case_by_contact ON customer_case (program, contact_hash) WHERE contact_hash IS NOT NULL;
CREATE INDEX case_expiring ON customer_case (program, expires_at, id) WHERE expires_at IS NOT NULL;

-- The history of a case, but for its opening, which follows from the case. version is that which the case had then.
CREATE TABLE case_event (
    program INTEGER NOT NULL,
    id      BLOB    NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    note    TEXT    NOT NULL,
    PRIMARY KEY (program, id, version),
    FOREIGN KEY (program, id) REFERENCES customer_case (program, id)
) STRICT, WITHOUT ROWID;

-- What people are to be told of cases. No seq is given twice. settled_at is when state was last set.
CREATE TABLE case_notice (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    program    INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    transition TEXT    NOT NULL CHECK (transition IN ('Opened', 'Overdue')),
    at         INTEGER NOT NULL,
    state      TEXT    NOT NULL DEFAULT 'Pending' CHECK (state IN ('Pending', 'Delivered', 'Dead')),
    record     BLOB,
    settled_at INTEGER,
    FOREIGN KEY (program, id) REFERENCES customer_case (program, id)
) STRICT;

CREATE INDEX notice_by_state ON case_notice (program, state);
CREATE INDEX notice_delivered ON case_notice (program, settled_at) WHERE state = 'Delivered';

-- What each case counts under: the promise in the hour that ends with it, an unresolved case in the hour of its opening.
CREATE VIEW case_count AS
SELECT program, touchpoint, '' AS unit,
       CASE WHEN state = 'Open' THEN '@case-due' WHEN contacted_at <= promised_by THEN '@case-kept' ELSE '@case-late' END AS question,
       1 AS revision, promised_by / 3600000000 - 1 AS hour, '' AS value
FROM customer_case WHERE state = 'Open' OR contacted_at IS NOT NULL
UNION ALL
SELECT program, touchpoint, '', '@case-open', 1,
       (opened_at - (opened_at % 3600000000 + 3600000000) % 3600000000) / 3600000000, ''
FROM customer_case WHERE state IN ('Open', 'Contacted');

-- The counts, made anew, of all that is kept.
DROP VIEW counted;
CREATE VIEW counted AS
SELECT program, touchpoint, unit, question, revision, hour, value FROM response_count
UNION ALL
SELECT program, touchpoint, unit, question, revision, hour, value FROM invitation_count
UNION ALL
SELECT program, touchpoint, unit, question, revision, hour, value FROM visit_count
UNION ALL
SELECT program, touchpoint, unit, question, revision, hour, value FROM case_count;
