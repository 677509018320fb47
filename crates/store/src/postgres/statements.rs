//! The SQL, all of it but the tables: only what PostgreSQL 13, CockroachDB and YugabyteDB document.
//!
//! Ids, names, values and bodies are BYTEA, so that order is byte order whatever the collation.
//! Each statement works on a whole group of changes: its parameters are arrays, unnested.

/// `$1..$3` the new line and its writer; `$4..$6` what the head must be; `$7..$9` the kinds, ids and
/// marks that must hold (0: no such document).
///
/// Every writer moves this one row, so commits are serial, and revisions have no gaps and are in
/// the order of commits. Where the row has changed since the statement began, PostgreSQL looks at
/// its new version and finds that the revision is another one.
pub(super) const MOVE_HEAD: &str = "
    UPDATE guestlist_head SET revision = $1, hash = $2, writer = $3
    WHERE id = 1 AND revision = $4 AND hash = $5 AND writer = $6
      AND NOT EXISTS (
        SELECT 1
        FROM unnest($7::bytea[], $8::bytea[], $9::int8[]) AS wanted (kind, id, mark)
        LEFT JOIN guestlist_documents d ON d.kind = wanted.kind AND d.id = wanted.id
        WHERE coalesce(d.mark, 0) <> wanted.mark)";

// The statements that follow MOVE_HEAD are sent without waiting for it. Each does nothing unless the
// head was moved by this very transaction: its last parameter is the writer.

pub(super) const DELETE_DOCUMENTS: &str = "
    DELETE FROM guestlist_documents d
    USING unnest($1::bytea[], $2::bytea[]) AS gone (kind, id)
    WHERE d.kind = gone.kind AND d.id = gone.id
      AND EXISTS (SELECT 1 FROM guestlist_head h WHERE h.id = 1 AND h.writer = $3)";

pub(super) const WRITE_DOCUMENTS: &str = "
    INSERT INTO guestlist_documents (kind, id, mark, facets, body)
    SELECT new.kind, new.id, new.mark, new.facets, new.body
    FROM unnest($1::bytea[], $2::bytea[], $3::int8[], $4::bytea[], $5::bytea[])
      AS new (kind, id, mark, facets, body)
    WHERE EXISTS (SELECT 1 FROM guestlist_head h WHERE h.id = 1 AND h.writer = $6)
    ON CONFLICT (kind, id) DO UPDATE
    SET mark = excluded.mark, facets = excluded.facets, body = excluded.body";

pub(super) const WRITE_FACETS: &str = "
    INSERT INTO guestlist_facets (kind, facet, value, id, mark)
    SELECT new.kind, new.facet, new.value, new.id, new.mark
    FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::int8[])
      AS new (kind, facet, value, id, mark)
    WHERE EXISTS (SELECT 1 FROM guestlist_head h WHERE h.id = 1 AND h.writer = $6)
    ON CONFLICT (kind, facet, value, id) DO UPDATE SET mark = excluded.mark";

/// Rows of earlier writes of documents that were written anew (`$3` their new mark) or deleted (0).
pub(super) const DELETE_FACETS: &str = "
    DELETE FROM guestlist_facets f
    USING unnest($1::bytea[], $2::bytea[], $3::int8[]) AS touched (kind, id, mark)
    WHERE f.kind = touched.kind AND f.id = touched.id AND f.mark <> touched.mark
      AND EXISTS (SELECT 1 FROM guestlist_head h WHERE h.id = 1 AND h.writer = $4)";

pub(super) const WRITE_EVENTS: &str = "
    INSERT INTO guestlist_events (revision, event, touched, hash)
    SELECT new.revision, new.event, new.touched, new.hash
    FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::bytea[])
      AS new (revision, event, touched, hash)
    WHERE EXISTS (SELECT 1 FROM guestlist_head h WHERE h.id = 1 AND h.writer = $5)";

pub(super) const WRITE_RECENT: &str = "
    INSERT INTO guestlist_recent_changes (revision, writer, payload)
    SELECT new.revision, $3, new.payload
    FROM unnest($1::int8[], $2::bytea[]) AS new (revision, payload)
    WHERE EXISTS (SELECT 1 FROM guestlist_head h WHERE h.id = 1 AND h.writer = $3)";

pub(super) const LOCK_HEAD: &str = "
    SELECT revision, hash, writer FROM guestlist_head WHERE id = 1 FOR UPDATE";

pub(super) const HEAD: &str = "
    SELECT revision, hash, writer FROM guestlist_head WHERE id = 1";

pub(super) const MARKS: &str = "
    SELECT d.kind, d.id, d.mark
    FROM unnest($1::bytea[], $2::bytea[]) AS wanted (kind, id)
    JOIN guestlist_documents d ON d.kind = wanted.kind AND d.id = wanted.id";

/// What was written after a revision, in full.
pub(super) const LINES: &str = "
    SELECT r.revision, e.hash, e.event, r.payload
    FROM guestlist_recent_changes r
    JOIN guestlist_events e ON e.revision = r.revision
    WHERE r.revision > $1 ORDER BY r.revision LIMIT $2";

pub(super) const WRITER_OF: &str = "
    SELECT writer FROM guestlist_recent_changes WHERE revision = $1";

/// After this, no transaction that is still under way can move the head any more.
pub(super) const FENCE: &str = "
    UPDATE guestlist_head SET writer = $1 WHERE id = 1";

/// Writes something, without changing anything.
pub(super) const PROBE: &str = "
    UPDATE guestlist_head SET revision = revision WHERE id = 1";

/// A row of no change, which is never committed.
pub(super) const PROBE_ROOM: &str = "
    INSERT INTO guestlist_recent_changes (revision, writer, payload) VALUES (-1, '', $1)";

/// Of the `$3` oldest: up to `$1` always, up to `$2` only what is older than some minutes.
pub(super) const TRIM: &str = "
    DELETE FROM guestlist_recent_changes WHERE revision IN (
      SELECT oldest.revision
      FROM (SELECT revision, written FROM guestlist_recent_changes
            ORDER BY revision LIMIT $3) AS oldest
      WHERE oldest.revision <= $1
        OR (oldest.revision <= $2 AND oldest.written < now() - interval '10 minutes'))";

pub(super) const GET: &str = "
    SELECT id, mark, facets, body FROM guestlist_documents WHERE kind = $1 AND id = $2";

pub(super) const LIST_ALL: &str = "
    SELECT id, mark, facets, body FROM guestlist_documents
    WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3";

pub(super) const LIST_EQUAL: &str = "
    SELECT d.id, d.mark, d.facets, d.body
    FROM guestlist_facets f
    JOIN guestlist_documents d ON d.kind = f.kind AND d.id = f.id
    WHERE f.kind = $1 AND f.facet = $2 AND f.value = $3 AND f.id > $4
    ORDER BY f.id LIMIT $5";

pub(super) const LIST_BETWEEN: &str = "
    SELECT d.id, d.mark, d.facets, d.body
    FROM guestlist_facets f
    JOIN guestlist_documents d ON d.kind = f.kind AND d.id = f.id
    WHERE f.kind = $1 AND f.facet = $2 AND (f.value, f.id) > ($3, $4) AND f.value < $5
    ORDER BY f.value, f.id LIMIT $6";

pub(super) const EVENTS_AFTER: &str = "
    SELECT revision, event, touched, hash FROM guestlist_events
    WHERE revision > $1 ORDER BY revision LIMIT $2";

/// All documents of a kind, in no order.
pub(super) const SNAPSHOT: &str = "
    SELECT id, mark, facets, body FROM guestlist_documents WHERE kind = $1";
