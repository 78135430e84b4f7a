-- +goose NO TRANSACTION
-- +goose Up

ALTER TABLE response VALIDATE CONSTRAINT response_standing;

-- Retention leaves what erasure leaves. What it left before is rewritten, some at a time: nobody waits for more than that.
-- +goose StatementBegin
DO $$
DECLARE
    last_program integer := 0;
    last_id uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        WITH page AS MATERIALIZED (
            SELECT s.program, s.id, kept.one FROM (
                SELECT * FROM submission WHERE (program, id) > (last_program, last_id) ORDER BY program, id LIMIT 1000
            ) AS s LEFT JOIN LATERAL (
                SELECT 1 AS one FROM response AS r
                WHERE r.program = s.program AND r.submitted_at = s.submitted_at AND r.submission = s.id LIMIT 1
            ) AS kept ON true
        ), gone AS (
            DELETE FROM submission AS s USING page
            WHERE s.program = page.program AND s.id = page.id AND page.one IS NULL
            RETURNING s.program, s.id, s.digest, s.receipt
        ), buried AS (
            INSERT INTO erased (program, id, digest, receipt)
            SELECT program, sha256('id'::bytea || uuid_send(id)), sha256('digest'::bytea || uuid_send(id) || digest), receipt
            FROM gone
        )
        SELECT program, id INTO last_program, last_id FROM page ORDER BY program DESC, id DESC LIMIT 1;
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$;
-- +goose StatementEnd
