-- learner/schema.sql -- the tables of a learner file, format 1: the specification.
--
-- application_id is 0x70657264 ("perd"), user_version the format.  A file whose
-- schema differs from this text in anything is refused.  All sums are those of
-- learner/sum.h, 16 bytes; what each covers stands here, how they hang together
-- at the head of store.c.  Times are seconds since 1970, UTC.

-- One row.  sum covers the other columns.
CREATE TABLE root (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  commits        INTEGER NOT NULL, -- transactions that wrote, so far
  states         BLOB NOT NULL,    -- of all rows of state, in any order
  journal_first  INTEGER NOT NULL, -- number of the oldest entry kept
  journal_before BLOB NOT NULL,    -- sum of the entry before that, kept or not
  journal_next   INTEGER NOT NULL, -- number that the next entry will get
  journal_last   BLOB NOT NULL,    -- sum of the newest entry
  journal_bytes  INTEGER NOT NULL, -- length of all entries kept
  sum            BLOB NOT NULL
) STRICT;

-- The state as it is now (id 0, without a name) and its snapshots.
CREATE TABLE state (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  made INTEGER NOT NULL,
  sum  BLOB NOT NULL               -- of all its rows of item and value, in any order
) STRICT;

-- Named blobs: arrays of numbers.
CREATE TABLE item (
  state   INTEGER NOT NULL,
  section TEXT NOT NULL,
  name    TEXT NOT NULL,
  type    TEXT NOT NULL,           -- f32, f64, i32, i64, u8, u32, u64; little-endian
  shape   TEXT NOT NULL,           -- [32,784]; the last axis is the fastest
  content INTEGER NOT NULL,
  PRIMARY KEY (state, section, name)
) STRICT, WITHOUT ROWID;

-- Named whole numbers and texts.
CREATE TABLE value (
  state   INTEGER NOT NULL,
  section TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   ANY NOT NULL,
  PRIMARY KEY (state, section, name)
) STRICT, WITHOUT ROWID;

-- The bytes of an item.  Equal bytes are one row, whoever names them.
CREATE TABLE content (
  id   INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  sum  BLOB NOT NULL               -- of size and the sums of the pieces, in order
) STRICT;
CREATE UNIQUE INDEX content_sum ON content (sum);

-- Which pieces a content is put together from, in order of place, from 0.
CREATE TABLE part (
  content INTEGER NOT NULL,
  place   INTEGER NOT NULL,
  piece   INTEGER NOT NULL,
  PRIMARY KEY (content, place)
) STRICT, WITHOUT ROWID;

-- 65536 bytes each, the last of a content what is left.  Equal pieces are one row.
CREATE TABLE piece (
  id    INTEGER PRIMARY KEY,
  sum   BLOB NOT NULL,             -- of bytes
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX piece_sum ON piece (sum);

-- What came in since state 0 was last written.
CREATE TABLE journal (
  seq   INTEGER PRIMARY KEY,
  sum   BLOB NOT NULL,             -- of the sum of the entry before, seq and bytes
  bytes BLOB NOT NULL
) STRICT;
