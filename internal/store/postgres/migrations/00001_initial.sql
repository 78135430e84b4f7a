-- +goose Up

-- One row. epoch is a part of the feed's epoch; a new one has every reader start anew. oldest is the number of the first
-- migration that a program must know to work with these tables.
CREATE TABLE meta (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch  uuid NOT NULL,
    oldest bigint NOT NULL
);
INSERT INTO meta (epoch, oldest) VALUES (gen_random_uuid(), 1);

-- A short number for each program. import_id is its last finished import.
CREATE TABLE program (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    import_id uuid,
    UNIQUE (namespace, name)
);

-- The numbers of the commits that the feed tells. The first is 1: before it, the last value is 0.
CREATE SEQUENCE commit_seq MINVALUE 0 START 0;
SELECT nextval('commit_seq');

-- The last commit of each slot that changed a program's counts or import.
CREATE TABLE progress (
    program integer  NOT NULL REFERENCES program (id),
    slot    smallint NOT NULL,
    seq     bigint   NOT NULL,
    PRIMARY KEY (program, slot)
);

-- The identity of every submission, kept when retention deletes its answers; therefore never partitioned. digest is the
-- SHA-256 of the canonical body.
CREATE TABLE submission (
    program      integer     NOT NULL REFERENCES program (id),
    id           uuid        NOT NULL,
    digest       bytea       NOT NULL CHECK (octet_length(digest) = 32),
    receipt      text        COLLATE "C" NOT NULL,
    submitted_at timestamptz NOT NULL,
    PRIMARY KEY (program, id)
);
CREATE INDEX submission_by_receipt ON submission USING hash (receipt);

-- What stays of the identity of an erased submission: id is a hash of its identity, digest one of its identity and digest,
-- so that neither tells which of a few possible answers was given.
CREATE TABLE erased (
    program integer NOT NULL REFERENCES program (id),
    id      bytea   NOT NULL CHECK (octet_length(id) = 32),
    digest  bytea   NOT NULL CHECK (octet_length(digest) = 32),
    receipt text    COLLATE "C" NOT NULL,
    PRIMARY KEY (program, id)
);
CREATE INDEX erased_by_receipt ON erased USING hash (receipt);

-- Responses and answers have a partition for each month (UTC) from 2000 to 2099, which the writer makes at need, and one
-- for what is before and one for what is after. There is no default partition: it would have to be locked and searched
-- whenever a month is added. No foreign keys: each would cost a look-up per row, and only the writer writes here.
CREATE TABLE response (
    program      integer     NOT NULL,
    submitted_at timestamptz NOT NULL,
    submission   uuid        NOT NULL,
    touchpoint   text        COLLATE "C" NOT NULL,
    unit         text        COLLATE "C" NOT NULL,
    language     text        COLLATE "C" NOT NULL,
    PRIMARY KEY (program, submitted_at, submission)
) PARTITION BY RANGE (submitted_at);

-- vals is an array of strings. It is not jsonb, which would not take every text.
CREATE TABLE answer (
    program      integer     NOT NULL,
    submitted_at timestamptz NOT NULL,
    submission   uuid        NOT NULL,
    question     text        COLLATE "C" NOT NULL CHECK (question <> ''),
    revision     integer     NOT NULL CHECK (revision >= 1),
    kind         text        COLLATE "C" NOT NULL CHECK (kind IN ('scale', 'single', 'multiple', 'text')),
    vals         json        NOT NULL,
    PRIMARY KEY (program, submitted_at, submission, question)
) PARTITION BY RANGE (submitted_at);

CREATE TABLE response_before_2000 PARTITION OF response FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00+00');
CREATE TABLE response_from_2100 PARTITION OF response FOR VALUES FROM ('2100-01-01 00:00+00') TO (MAXVALUE);
CREATE TABLE answer_before_2000 PARTITION OF answer FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00+00');
CREATE TABLE answer_from_2100 PARTITION OF answer FOR VALUES FROM ('2100-01-01 00:00+00') TO (MAXVALUE);

-- Stands for the texts of a count in an index, where long ones would not fit. No text holds a zero byte. It is immutable
-- because the database's encoding is UTF8, which the program makes sure of.
-- +goose StatementBegin
CREATE FUNCTION count_key(touchpoint text, unit text, question text, revision integer, value text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substring(sha256(
        convert_to(touchpoint, 'UTF8') || '\x00'::bytea || convert_to(unit, 'UTF8') || '\x00'::bytea ||
        convert_to(question, 'UTF8') || '\x00'::bytea || int4send(revision) || convert_to(value, 'UTF8')
    ) FROM 1 FOR 16)
$$;
-- +goose StatementEnd

-- n answers of the hour have the value; retired of them are no longer kept. Both are the sums over the slots: each process
-- that writes has a slot, and writes no other's rows. hour counts hours since 1970-01-01T00:00Z. seq is the last commit of
-- the slot that changed n.
CREATE TABLE rollup (
    program    integer  NOT NULL REFERENCES program (id),
    touchpoint text     COLLATE "C" NOT NULL,
    unit       text     COLLATE "C" NOT NULL,
    question   text     COLLATE "C" NOT NULL,
    revision   integer  NOT NULL,
    hour       bigint   NOT NULL,
    value      text     COLLATE "C" NOT NULL,
    slot       smallint NOT NULL,
    n          bigint   NOT NULL,
    retired    bigint   NOT NULL DEFAULT 0,
    seq        bigint   NOT NULL,
    key        bytea    NOT NULL GENERATED ALWAYS AS (count_key(touchpoint, unit, question, revision, value)) STORED,
    PRIMARY KEY (program, hour, key, slot)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX rollup_by_seq ON rollup (seq);

-- Every kept answer under every value that it counts under: the counts, made anew. answered_at equals submitted_at: who
-- limits the one limits the other, too, because PostgreSQL chooses the partitions of each table by itself.
CREATE VIEW counted AS
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
) AS v;
