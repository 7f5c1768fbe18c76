-- Workflows, their runs and slots, results, what is told to others, and sums by hour.
-- A job that belongs to no run and has no sinks pays for none of it: its new columns are null, and every new index leaves
-- it out.

-- What changes often stands apart from what is long: changing one column rewrites the whole row.
CREATE TABLE workflow (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  name TEXT NOT NULL,
  lower_name TEXT NOT NULL, -- for searching; `lower` knows only ASCII
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'terminated')),
  version INTEGER NOT NULL,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,
  max_consecutive_failures INTEGER,
  cursor INTEGER NOT NULL, -- the slot up to which everything has been dealt with
  next_slot INTEGER,
  fire_at INTEGER,
  last_run_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((next_slot IS NULL) = (fire_at IS NULL)),
  UNIQUE (workspace, name)
) STRICT;
CREATE INDEX workflow_list ON workflow (workspace);
CREATE INDEX workflow_due ON workflow (fire_at) WHERE fire_at IS NOT NULL AND state <> 'terminated';

CREATE TABLE workflow_definition (
  seq INTEGER PRIMARY KEY, -- of its workflow
  definition TEXT NOT NULL, -- JSON object
  secrets BLOB,
  scopes TEXT NOT NULL -- JSON list
) STRICT;

-- Runs of one version have the same snapshot: each is stored once.
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL,
  workflow_id TEXT NOT NULL,
  definition TEXT NOT NULL, -- JSON object
  UNIQUE (workflow_id, sha256)
) STRICT;

-- `pending` and `running` runs are open. How many items hold a slot is counted in `live`; `items` and the sums of those
-- that have ended are moved in the transaction that makes or ends them, and outlive the jobs.
CREATE TABLE run (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  workflow_version INTEGER NOT NULL,
  trigger TEXT NOT NULL CHECK (trigger IN ('manual', 'automatic')),
  phase TEXT NOT NULL CHECK (phase IN ('pending', 'running', 'completed', 'failed', 'terminated')),
  paused INTEGER NOT NULL DEFAULT 0,
  status_reason TEXT,
  end_reason TEXT, -- why it is being terminated; null: it is not
  scheduled_at INTEGER,
  due_at INTEGER, -- a pending run that waits for a time
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  max_concurrent INTEGER NOT NULL,
  retry_of TEXT,
  snapshot INTEGER NOT NULL,
  items INTEGER NOT NULL,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  CHECK ((phase IN ('pending', 'running')) = (finished_at IS NULL)),
  CHECK (due_at IS NULL OR phase = 'pending')
) STRICT;
CREATE INDEX run_list ON run (workspace);
CREATE INDEX run_workflow ON run (workspace, workflow_id);
CREATE INDEX run_phase ON run (workspace, phase);
CREATE INDEX run_paused ON run (workspace) WHERE paused = 1;
CREATE INDEX run_open ON run (workflow_id) WHERE phase IN ('pending', 'running');
CREATE INDEX run_due ON run (due_at) WHERE due_at IS NOT NULL AND paused = 0;
CREATE INDEX run_finished ON run (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX run_snapshot ON run (snapshot);

-- Every slot that has been dealt with. Neighbouring ones that were skipped for one reason are one row.
CREATE TABLE slot (
  workflow INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  last_slot INTEGER NOT NULL,
  count INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('fired', 'skipped')),
  reason TEXT,
  run_id TEXT,
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (workflow, slot),
  CHECK ((outcome = 'fired') = (run_id IS NOT NULL)),
  CHECK ((outcome = 'skipped') = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX slot_recorded ON slot (recorded_at);

ALTER TABLE job ADD COLUMN sinks TEXT; -- JSON list of rules; null: none
ALTER TABLE live ADD COLUMN run INTEGER; -- `run.seq` of an item of a run
ALTER TABLE live ADD COLUMN restarted_at INTEGER; -- when the clock of that attempt was restarted
ALTER TABLE live ADD COLUMN restarted_attempt INTEGER;
CREATE INDEX live_run ON live (run, status) WHERE run IS NOT NULL;
CREATE INDEX live_run_next ON live (run, priority DESC) WHERE run IS NOT NULL AND status_reason = 'run_concurrency';

-- What running items have added to their runs and what joins when they complete.
CREATE TABLE extension (
  seq INTEGER NOT NULL, -- of the item that added it
  position INTEGER NOT NULL,
  run INTEGER NOT NULL,
  job TEXT NOT NULL, -- JSON list as `encodeJobs` makes it
  secrets BLOB,
  PRIMARY KEY (seq, position)
) STRICT;
CREATE INDEX extension_run ON extension (run);

-- `data` and `blob_key` are both null once its time is over.
CREATE TABLE result (
  seq INTEGER PRIMARY KEY,
  format TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  expires_at INTEGER,
  blob_key TEXT,
  data BLOB
) STRICT;
CREATE INDEX result_blob ON result (blob_key) WHERE blob_key IS NOT NULL;
CREATE INDEX result_expires ON result (expires_at)
  WHERE expires_at IS NOT NULL AND (blob_key IS NOT NULL OR data IS NOT NULL);

CREATE TABLE delivery (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  seq INTEGER NOT NULL, -- of its job
  sink_index INTEGER NOT NULL,
  run_id TEXT,
  workflow_id TEXT,
  status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'stopped')),
  tries INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  due_at INTEGER, -- of a pending one; while it is claimed, the end of the claim
  wait_ms INTEGER, -- how long before `due_at` that was decided
  next_try_at INTEGER,
  first_try_at INTEGER,
  last_try_at INTEGER,
  delivered_at INTEGER,
  last_status INTEGER,
  last_error TEXT,
  claim_token TEXT,
  CHECK ((status = 'pending') = (due_at IS NOT NULL)),
  CHECK (status = 'pending' OR claim_token IS NULL)
) STRICT;
CREATE INDEX delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_decided ON delivery (due_at - wait_ms) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_job ON delivery (seq);
CREATE INDEX delivery_list ON delivery (workspace);
CREATE INDEX delivery_undelivered ON delivery (workspace, status) WHERE status <> 'delivered';
CREATE INDEX delivery_run ON delivery (workspace, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX delivery_workflow ON delivery (workspace, workflow_id) WHERE workflow_id IS NOT NULL;
CREATE INDEX delivery_made ON delivery (created_at) WHERE status <> 'pending';

ALTER TABLE workspace ADD COLUMN notification_preference TEXT NOT NULL DEFAULT 'alerts';
CREATE TABLE notification (
  position INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  workflow_id TEXT,
  run_id TEXT,
  job_id TEXT,
  created_at INTEGER NOT NULL,
  read_at INTEGER
) STRICT;
CREATE INDEX notification_list ON notification (workspace);
CREATE INDEX notification_unread ON notification (workspace) WHERE read_at IS NULL;
CREATE INDEX notification_workflow ON notification (workflow_id) WHERE workflow_id IS NOT NULL;
CREATE INDEX notification_created ON notification (created_at);

-- Sums of what has been, by hour; `workflow_id` is empty for jobs of no workflow.
CREATE TABLE hour_sum (
  workspace TEXT NOT NULL,
  hour INTEGER NOT NULL,
  workflow_id TEXT NOT NULL,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  log_lines INTEGER NOT NULL DEFAULT 0,
  slots_fired INTEGER NOT NULL DEFAULT 0,
  slots_skipped INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace, hour, workflow_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hour_sum_hour ON hour_sum (hour);
CREATE TABLE hour_bucket (
  workspace TEXT NOT NULL,
  hour INTEGER NOT NULL,
  workflow_id TEXT NOT NULL,
  measure TEXT NOT NULL CHECK (measure IN ('wait', 'run', 'lateness')),
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (workspace, hour, workflow_id, measure, bucket)
) STRICT, WITHOUT ROWID;
