-- Data sources and pipes, who writes tables, and what is about to be published.
-- A job that writes no table pays for none of it: its new columns are null, and no new index has it.

CREATE TABLE catalogue (
  workspace TEXT PRIMARY KEY,
  version INTEGER NOT NULL -- rises with every change of its entries
) STRICT, WITHOUT ROWID;

CREATE TABLE catalogue_entry (
  workspace TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('data_source', 'pipe')),
  name TEXT NOT NULL,
  document TEXT NOT NULL, -- JSON object
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, name)
) STRICT;

ALTER TABLE job ADD COLUMN data_source TEXT; -- the one it writes, by name
ALTER TABLE job ADD COLUMN pipe TEXT; -- the one it carries out, by name
CREATE INDEX job_data_source ON job (workspace, data_source) WHERE data_source IS NOT NULL;
CREATE INDEX job_pipe ON job (workspace, pipe) WHERE pipe IS NOT NULL;
-- Items that wait to join their runs are rows of `job` as it was.
UPDATE extension SET job = json_insert(job, '$[0][#]', NULL, '$[0][#]', NULL);

-- The job has committed a publication, so it ends as completed and waits for nothing but a worker. It has an exclusive
-- key: what ends jobs without one asks no questions.
ALTER TABLE live ADD COLUMN published INTEGER NOT NULL DEFAULT 0
  CHECK (published = 0 OR (published = 1 AND status <> 'pending' AND exclusive_key IS NOT NULL));

-- Held by the attempt of a job (`seq`, `attempt`, `lease_token`), while that is live, or by a call, until a time.
CREATE TABLE table_lock (
  workspace TEXT NOT NULL,
  name TEXT NOT NULL, -- of the table
  seq INTEGER,
  attempt INTEGER,
  lease_token TEXT,
  call_id TEXT,
  held_ms INTEGER,
  held_until INTEGER,
  PRIMARY KEY (workspace, name),
  CHECK ((lease_token IS NULL) <> (call_id IS NULL)),
  CHECK ((seq IS NULL) = (lease_token IS NULL) AND (attempt IS NULL) = (lease_token IS NULL)),
  CHECK ((held_until IS NULL) = (call_id IS NULL) AND (held_ms IS NULL) = (call_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE publication (
  position INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE, -- of its job
  workspace TEXT NOT NULL,
  staging_database TEXT NOT NULL,
  tables TEXT NOT NULL, -- JSON list
  outcome TEXT NOT NULL, -- JSON text
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX publication_workspace ON publication (workspace);
