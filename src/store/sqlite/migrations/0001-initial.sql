-- Times are milliseconds since the Unix epoch, durations milliseconds, sizes bytes.
-- Job tables: `job` holds what was submitted and is only inserted; `live` is the small table that changes and whose rows
-- go when a job ends; `ended` is only inserted. A job is in `job` and in exactly one of the other two. `seq` is its
-- position in the order of submission.
-- Checks on the hot tables are spelled out with OR: for IN with three values or more SQLite builds a temporary table at each
-- insert, which costs three times as much as the insert itself.

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workspace (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  waiting INTEGER NOT NULL DEFAULT 0, -- its jobs that are pending or queued: counting a million of them for each submit would be slow
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO workspace (id, name, created_at) VALUES ('default', 'default', unixepoch() * 1000);

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT,
  scopes TEXT NOT NULL, -- JSON list
  hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT;
CREATE INDEX token_workspace ON token (workspace);

CREATE TABLE worker (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  roles TEXT NOT NULL, -- JSON list
  slots INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Jobs of one submitter have the same scopes: each set is stored once.
CREATE TABLE scope_set (
  id INTEGER PRIMARY KEY,
  scopes TEXT NOT NULL UNIQUE -- JSON list
) STRICT;

CREATE TABLE job (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  kind TEXT NOT NULL,
  queue TEXT NOT NULL,
  trigger TEXT NOT NULL CHECK (trigger IN ('manual', 'automatic')),
  created_at INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  name TEXT,
  workflow_id TEXT,
  run_id TEXT,
  parent_job_id TEXT,
  rerun_of TEXT,
  exclusive_key TEXT,
  scheduled_at INTEGER,
  timeout_ms INTEGER,
  grace_ms INTEGER,
  retry TEXT, -- JSON object; null: one try
  restartable INTEGER NOT NULL,
  labels TEXT, -- JSON object; null: none
  scope_set INTEGER NOT NULL,
  spec TEXT NOT NULL, -- JSON object
  secrets BLOB
) STRICT;
-- Every index ends with `seq`, the rowid, so lists walk it newest first. Beyond the first two they hold only what is not
-- the common case: a plain job pays for none of them.
CREATE INDEX job_kind ON job (workspace, kind);
CREATE INDEX job_queue ON job (workspace, queue) WHERE queue <> 'default';
CREATE INDEX job_automatic ON job (workspace) WHERE trigger = 'automatic';
CREATE INDEX job_name ON job (workspace, name) WHERE name IS NOT NULL;
CREATE INDEX job_workflow ON job (workspace, workflow_id) WHERE workflow_id IS NOT NULL;
CREATE INDEX job_run ON job (workspace, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX job_parent ON job (workspace, parent_job_id) WHERE parent_job_id IS NOT NULL;

CREATE TABLE job_label (
  workspace TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (workspace, key, value, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE live (
  seq INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status = 'pending' OR status = 'queued' OR status = 'running' OR status = 'cancelling'),
  status_reason TEXT,
  priority INTEGER NOT NULL,
  exclusive_key TEXT,
  due_at INTEGER, -- a pending job that waits for a time
  wait_ms INTEGER, -- how long a pending job waits between two tries
  queued_at INTEGER,
  started_at INTEGER, -- of the current or last attempt
  updated_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  user_failures INTEGER NOT NULL DEFAULT 0,
  system_failures INTEGER NOT NULL DEFAULT 0,
  next_log_seq INTEGER NOT NULL DEFAULT 1,
  worker_id TEXT,
  lease_token TEXT,
  lease_until INTEGER,
  grace_ms INTEGER, -- asked for by a cancel
  exit_code INTEGER,
  signal TEXT,
  error_message TEXT,
  progress TEXT, -- JSON object
  CHECK ((status IN ('running', 'cancelling')) = (lease_token IS NOT NULL)),
  CHECK (status = 'pending' OR due_at IS NULL)
) STRICT;
CREATE INDEX live_queue ON live (kind, priority DESC) WHERE status = 'queued';
CREATE INDEX live_held ON live (lease_until) WHERE status IN ('running', 'cancelling');
CREATE INDEX live_cancelling ON live (worker_id) WHERE status = 'cancelling';
CREATE INDEX live_pending ON live (workspace) WHERE status = 'pending';
CREATE INDEX live_due ON live (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX live_retry ON live (due_at - wait_ms) WHERE wait_ms IS NOT NULL;
-- One holder per exclusive key; the others are pending.
CREATE UNIQUE INDEX live_key_holder ON live (workspace, exclusive_key)
  WHERE exclusive_key IS NOT NULL AND status <> 'pending';
CREATE INDEX live_key_next ON live (workspace, exclusive_key, priority DESC)
  WHERE exclusive_key IS NOT NULL AND status_reason = 'exclusive_key';

CREATE TABLE ended (
  seq INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status = 'completed' OR status = 'failed' OR status = 'cancelled'),
  status_reason TEXT,
  log TEXT NOT NULL CHECK (log = 'none' OR log = 'kept' OR log = 'purged'),
  queued_at INTEGER,
  started_at INTEGER,
  finished_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  user_failures INTEGER NOT NULL,
  system_failures INTEGER NOT NULL,
  worker_id TEXT,
  exit_code INTEGER,
  signal TEXT,
  error_message TEXT,
  progress TEXT, -- JSON object
  statistics TEXT -- JSON object
) STRICT;
CREATE INDEX ended_finished ON ended (finished_at);
CREATE INDEX ended_badly ON ended (workspace, status) WHERE status IN ('failed', 'cancelled');
CREATE INDEX ended_log ON ended (finished_at) WHERE log = 'kept';

-- Attempts that ended while their job went on; the last attempt of a job is in its row of `live` or `ended`.
CREATE TABLE attempt (
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  worker_id TEXT,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('failed', 'released')),
  reason TEXT,
  error_message TEXT,
  exit_code INTEGER,
  signal TEXT,
  PRIMARY KEY (seq, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_part (
  seq INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  blob_key TEXT,
  data BLOB,
  PRIMARY KEY (seq, first_seq),
  CHECK ((data IS NULL) <> (blob_key IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX log_part_blob ON log_part (blob_key) WHERE blob_key IS NOT NULL;

CREATE TABLE blob (
  sha256 TEXT PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  reference_count INTEGER NOT NULL CHECK (reference_count > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact (
  seq INTEGER NOT NULL,
  name TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (seq, name)
) STRICT;

-- Blobs that nothing refers to any more, until their content has been deleted.
CREATE TABLE doomed_blob (
  position INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE
) STRICT;

-- `status IS NULL`: the first call still runs.
CREATE TABLE idempotency (
  workspace TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  status INTEGER,
  body TEXT,
  PRIMARY KEY (workspace, method, path, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expires ON idempotency (expires_at);
