-- +goose Up

-- The promises to respondents. submission is the response's identity, NULL once retention or erasure deleted that. contact is
-- sealed; it, its hash, the response's receipt and expires_at (when it is to be erased) are NULL once the contact is erased.
-- told is true once there was a notice that the case is overdue.
CREATE TABLE customer_case (
    program           integer     NOT NULL REFERENCES program (id),
    id                uuid        NOT NULL,
    touchpoint        text        COLLATE "C" NOT NULL,
    language          text        COLLATE "C" NOT NULL,
    reasons           text        COLLATE "C" NOT NULL,
    state             text        COLLATE "C" NOT NULL DEFAULT 'Open' CHECK (state IN ('Open', 'Contacted', 'Resolved', 'Informed')),
    opened_at         timestamptz NOT NULL,
    promised_by       timestamptz NOT NULL,
    contacted_at      timestamptz,
    resolved_at       timestamptz,
    informed_at       timestamptz,
    plan              text        COLLATE "C" NOT NULL DEFAULT '',
    version           bigint      NOT NULL DEFAULT 1,
    told              boolean     NOT NULL DEFAULT false,
    submission        uuid,
    receipt           text        COLLATE "C",
    contact           bytea,
    contact_hash      bytea       CHECK (octet_length(contact_hash) = 32),
    retention_days    integer     NOT NULL,
    expires_at        timestamptz,
    contact_erased_at timestamptz,
    PRIMARY KEY (program, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Lists are unions over the states.
CREATE INDEX case_by_state ON customer_case (program, state, promised_by, id);
CREATE INDEX case_by_touchpoint ON customer_case (program, touchpoint, state, promised_by, id);
CREATE INDEX case_untold ON customer_case (program, promised_by, id) WHERE state = 'Open' AND NOT told;
CREATE INDEX case_by_submission ON customer_case (program, submission) WHERE submission IS NOT NULL;
CREATE INDEX case_by_receipt ON customer_case USING hash (receipt);
CREATE INDEX case_by_contact ON customer_case (program, contact_hash) WHERE contact_hash IS NOT NULL;
CREATE INDEX case_expiring ON customer_case (program, expires_at, id) WHERE expires_at IS NOT NULL;

-- The history of a case, but for its opening, which follows from the case. version is that which the case had then.
CREATE TABLE case_event (
    program integer     NOT NULL,
    id      uuid        NOT NULL,
    version bigint      NOT NULL,
    at      timestamptz NOT NULL,
    actor   text        COLLATE "C" NOT NULL,
    state   text        COLLATE "C" NOT NULL,
    note    text        COLLATE "C" NOT NULL,
    PRIMARY KEY (program, id, version),
    FOREIGN KEY (program, id) REFERENCES customer_case (program, id)
);

-- What people are to be told of cases. settled_at is when state was last set.
CREATE TABLE case_notice (
    seq        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    program    integer     NOT NULL,
    id         uuid        NOT NULL,
    transition text        COLLATE "C" NOT NULL CHECK (transition IN ('Opened', 'Overdue')),
    at         timestamptz NOT NULL,
    state      text        COLLATE "C" NOT NULL DEFAULT 'Pending' CHECK (state IN ('Pending', 'Delivered', 'Dead')),
    record     bytea,
    settled_at timestamptz,
    FOREIGN KEY (program, id) REFERENCES customer_case (program, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX notice_by_state ON case_notice (program, state, seq);
CREATE INDEX notice_delivered ON case_notice (program, settled_at) WHERE state = 'Delivered';

-- What each case counts under: the promise in the hour that ends with it, an unresolved case in the hour of its opening.
CREATE VIEW case_count AS
SELECT program, touchpoint, '' COLLATE "C" AS unit,
       (CASE WHEN state = 'Open' THEN '@case-due' WHEN contacted_at <= promised_by THEN '@case-kept' ELSE '@case-late' END) COLLATE "C" AS question,
       1 AS revision, (extract(epoch FROM promised_by) / 3600)::bigint - 1 AS hour, '' COLLATE "C" AS value
FROM customer_case WHERE state = 'Open' OR contacted_at IS NOT NULL
UNION ALL
SELECT program, touchpoint, '' COLLATE "C", '@case-open' COLLATE "C", 1,
       (extract(epoch FROM date_trunc('hour', opened_at, 'UTC')) / 3600)::bigint, '' COLLATE "C"
FROM customer_case WHERE state IN ('Open', 'Contacted');
