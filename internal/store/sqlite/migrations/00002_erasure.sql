-- +goose Up

-- Erasure finds a submission by its receipt, and its response by the submission.
CREATE INDEX submission_by_receipt ON submission (program, receipt);
CREATE INDEX response_by_submission ON response (program, submission);

-- What stays of the identity of an erased submission: id is a hash of its identity, digest one of its identity and digest,
-- so that neither tells which of a few possible answers was given.
CREATE TABLE erased (
    program INTEGER NOT NULL REFERENCES program (id),
    id      BLOB    NOT NULL CHECK (length(id) = 32),
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    receipt TEXT    NOT NULL,
    PRIMARY KEY (program, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_by_receipt ON erased (program, receipt);
