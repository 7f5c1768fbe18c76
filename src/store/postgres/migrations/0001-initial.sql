-- Times are milliseconds since the Unix epoch, durations milliseconds, sizes bytes.
-- Job tables: `job` holds what was submitted and is only inserted; `live` is the small table that changes and whose rows
-- go when a job ends; `ended` is only inserted. A job is in `job` and in exactly one of the other two.

-- The store's clock: the database's, or the one a test injects.
CREATE FUNCTION millrace.clock(injected bigint) RETURNS bigint LANGUAGE sql VOLATILE
  RETURN coalesce(injected, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);

CREATE TABLE millrace.setting (
  name text PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE millrace.workspace (
  id text PRIMARY KEY,
  name text NOT NULL UNIQUE,
  created_at bigint NOT NULL
);
INSERT INTO millrace.workspace VALUES ('default', 'default', millrace.clock(NULL));

CREATE TABLE millrace.token (
  id text PRIMARY KEY,
  workspace text NOT NULL REFERENCES millrace.workspace,
  name text NOT NULL,
  role text,
  scopes text NOT NULL, -- JSON list
  hash text NOT NULL UNIQUE,
  created_at bigint NOT NULL,
  expires_at bigint
);
CREATE INDEX token_workspace ON millrace.token (workspace, created_at);

CREATE TABLE millrace.worker (
  id text PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  roles text NOT NULL, -- JSON list
  slots integer NOT NULL,
  started_at bigint NOT NULL,
  seen_at bigint NOT NULL
);

-- The scopes of submitters, each set once.
CREATE TABLE millrace.scope_set (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scopes text NOT NULL UNIQUE -- JSON list
);

-- Position of a job in the order of submission. One value per statement, which numbers its own jobs from there on.
CREATE SEQUENCE millrace.job_sequence INCREMENT BY 20000;

CREATE TABLE millrace.job (
  id uuid PRIMARY KEY,
  workspace text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  created_at bigint NOT NULL,
  scope_set integer NOT NULL,
  priority smallint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  trigger text COLLATE "C" NOT NULL CHECK (trigger IN ('manual', 'automatic')),
  queue text COLLATE "C" NOT NULL,
  name text COLLATE "C",
  labels text NOT NULL, -- JSON object
  workflow_id text COLLATE "C",
  run_id text COLLATE "C",
  parent_job_id text COLLATE "C",
  exclusive_key text,
  scheduled_at bigint,
  options text, -- JSON object: retry, restartable, timeoutMs, graceMs, rerunOf; null when all have their defaults
  spec text NOT NULL, -- JSON object
  secrets bytea
);
-- Lists go newest first by sequence. Indexes beyond the first hold only what is not the common case.
CREATE INDEX job_newest ON millrace.job (workspace, sequence);
CREATE INDEX job_kind ON millrace.job (workspace, kind, sequence) WHERE kind <> 'command';
CREATE INDEX job_queue ON millrace.job (workspace, queue, sequence) WHERE queue <> 'default';
CREATE INDEX job_name ON millrace.job (workspace, name, sequence) WHERE name IS NOT NULL;
CREATE INDEX job_run ON millrace.job (workspace, run_id, sequence) WHERE run_id IS NOT NULL;
CREATE INDEX job_workflow ON millrace.job (workspace, workflow_id, sequence) WHERE workflow_id IS NOT NULL;
CREATE INDEX job_parent ON millrace.job (workspace, parent_job_id, sequence) WHERE parent_job_id IS NOT NULL;

CREATE TABLE millrace.job_label (
  workspace text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  job_id uuid NOT NULL,
  PRIMARY KEY (workspace, key, value, sequence)
);

CREATE TABLE millrace.live (
  id uuid PRIMARY KEY,
  sequence bigint NOT NULL,
  updated_at bigint NOT NULL,
  queued_at bigint,
  started_at bigint, -- of the current or last attempt
  due_at bigint, -- a pending job that waits for a time
  wait_ms bigint, -- how long a pending job waits between two tries
  lease_until bigint,
  grace_ms bigint, -- asked for by a cancel
  next_log_seq bigint NOT NULL DEFAULT 1,
  claim_token uuid, -- with the attempt it is the lease of the worker that holds the job
  attempt integer NOT NULL DEFAULT 0,
  user_failures integer NOT NULL DEFAULT 0,
  system_failures integer NOT NULL DEFAULT 0,
  exit_code integer,
  priority smallint NOT NULL,
  workspace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'queued', 'running', 'cancelling')),
  status_reason text COLLATE "C",
  run_id text,
  workflow_id text,
  parent_job_id text,
  exclusive_key text COLLATE "C",
  worker_id text COLLATE "C",
  signal text,
  error_message text,
  progress text -- JSON object
) WITH (
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX live_claim ON millrace.live (priority DESC, sequence, kind) WHERE status = 'queued';
CREATE INDEX live_pending ON millrace.live (workspace, sequence) WHERE status = 'pending';
CREATE INDEX live_held ON millrace.live (worker_id) WHERE status IN ('running', 'cancelling');
CREATE INDEX live_due ON millrace.live (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX live_retry ON millrace.live ((due_at - wait_ms)) WHERE wait_ms IS NOT NULL;
-- One holder per exclusive key; the others are pending.
CREATE UNIQUE INDEX live_exclusive_holder ON millrace.live (workspace, exclusive_key)
  WHERE exclusive_key IS NOT NULL AND status IN ('queued', 'running', 'cancelling');
CREATE INDEX live_exclusive_next ON millrace.live (workspace, exclusive_key, priority DESC, sequence)
  WHERE exclusive_key IS NOT NULL AND status = 'pending';

CREATE TABLE millrace.ended (
  id uuid PRIMARY KEY,
  sequence bigint NOT NULL,
  finished_at bigint NOT NULL,
  queued_at bigint,
  started_at bigint,
  attempt integer NOT NULL,
  user_failures integer NOT NULL,
  system_failures integer NOT NULL,
  exit_code integer,
  has_log boolean NOT NULL,
  log_purged boolean NOT NULL DEFAULT false,
  workspace text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
  status_reason text COLLATE "C",
  worker_id text COLLATE "C", -- who ended the last attempt; null when the job ended between attempts
  signal text,
  error_message text,
  progress text, -- JSON object
  statistics text -- JSON object
);
CREATE INDEX ended_finished ON millrace.ended (finished_at);
CREATE INDEX ended_unsuccessful ON millrace.ended (workspace, status, sequence)
  WHERE status IN ('failed', 'cancelled');
CREATE INDEX ended_log ON millrace.ended (finished_at) WHERE has_log AND NOT log_purged;

-- Attempts that ended while their job went on; the last attempt of a job is in its row of `live` or `ended`.
CREATE TABLE millrace.attempt (
  job_id uuid NOT NULL,
  attempt integer NOT NULL,
  started_at bigint NOT NULL,
  finished_at bigint NOT NULL,
  exit_code integer,
  outcome text NOT NULL CHECK (outcome IN ('failed', 'released')),
  reason text,
  worker_id text,
  signal text,
  error_message text,
  PRIMARY KEY (job_id, attempt)
);

CREATE TABLE millrace.log_part (
  job_id uuid NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  attempt integer NOT NULL,
  first_at bigint NOT NULL,
  last_at bigint NOT NULL,
  bytes bigint NOT NULL,
  data bytea,
  blob_key text,
  PRIMARY KEY (job_id, first_seq),
  CHECK ((data IS NULL) <> (blob_key IS NULL))
);
CREATE UNIQUE INDEX log_part_blob ON millrace.log_part (blob_key) WHERE blob_key IS NOT NULL;

CREATE TABLE millrace.blob (
  sha256 text PRIMARY KEY,
  key text NOT NULL UNIQUE,
  size bigint NOT NULL,
  reference_count integer NOT NULL CHECK (reference_count > 0)
);

CREATE TABLE millrace.artifact (
  position bigint GENERATED ALWAYS AS IDENTITY,
  id text NOT NULL UNIQUE,
  job_id uuid NOT NULL REFERENCES millrace.job,
  name text NOT NULL,
  sha256 text NOT NULL REFERENCES millrace.blob,
  size bigint NOT NULL,
  content_type text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (job_id, name)
);

-- Blobs that nothing refers to any more, until their content has been deleted.
CREATE TABLE millrace.doomed_blob (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL UNIQUE
);

-- `status IS NULL`: the first call still runs. An answer to a submit is kept as the facts it is made from.
CREATE TABLE millrace.idempotency (
  workspace text NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  key text NOT NULL,
  body_hash text NOT NULL,
  started_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  status integer,
  body text,
  submitted text, -- JSON object: shape, created_at and the jobs' ids and statuses
  PRIMARY KEY (workspace, method, path, key)
);
CREATE INDEX idempotency_expires ON millrace.idempotency (expires_at);
