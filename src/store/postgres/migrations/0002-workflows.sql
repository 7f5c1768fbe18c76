-- Workflows, their runs and slots, results, what is told to others, and sums by hour.
-- A job that belongs to no run and has no sinks pays for none of it: its new columns are null and no new index has it.

-- A UUIDv7 (RFC 9562) of a time in milliseconds: 48 bits of it, then random bits with version and variant set.
CREATE FUNCTION millrace.new_id(ms bigint) RETURNS uuid LANGUAGE sql VOLATILE
  RETURN encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(ms) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1),
    'hex')::uuid;

CREATE TABLE millrace.workflow (
  id text COLLATE "C" PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  workspace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'terminated')),
  version integer NOT NULL DEFAULT 1,
  consecutive_failures integer NOT NULL DEFAULT 0,
  max_consecutive_failures integer,
  cursor bigint NOT NULL, -- the slot up to which everything has been dealt with
  next_slot bigint,
  fire_at bigint, -- when `next_slot` fires, with its jitter
  last_run_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  definition text NOT NULL, -- JSON object
  scopes text NOT NULL, -- JSON list
  secrets bytea,
  UNIQUE (workspace, name),
  CHECK ((next_slot IS NULL) = (fire_at IS NULL))
);
CREATE INDEX workflow_newest ON millrace.workflow (workspace, position);
CREATE INDEX workflow_due ON millrace.workflow (fire_at) WHERE fire_at IS NOT NULL AND state <> 'terminated';

-- Runs of one version have the same snapshot: each is stored once.
CREATE TABLE millrace.snapshot (
  workflow_id text COLLATE "C" NOT NULL,
  hash bytea NOT NULL,
  definition text NOT NULL, -- JSON object
  PRIMARY KEY (workflow_id, hash)
);

-- `pending` and `running` runs are open. How many items hold a slot is counted in `live`; `items` and the sums of those
-- that have ended are moved by the transaction that makes or ends them, and outlive the jobs.
CREATE TABLE millrace.run (
  id text COLLATE "C" PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  workspace text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  workflow_version integer NOT NULL,
  max_concurrent integer NOT NULL,
  items integer NOT NULL,
  completed integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  cancelled integer NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  scheduled_at bigint,
  due_at bigint, -- a pending run that waits for a time
  started_at bigint,
  finished_at bigint,
  paused boolean NOT NULL DEFAULT false,
  trigger text COLLATE "C" NOT NULL CHECK (trigger IN ('manual', 'automatic')),
  phase text COLLATE "C" NOT NULL CHECK (phase IN ('pending', 'running', 'completed', 'failed', 'terminated')),
  status_reason text COLLATE "C",
  end_reason text COLLATE "C", -- why it is being terminated; null: it is not
  retry_of text COLLATE "C",
  snapshot_hash bytea NOT NULL,
  CHECK ((phase IN ('pending', 'running')) = (finished_at IS NULL)),
  CHECK (due_at IS NULL OR phase = 'pending')
) WITH (fillfactor = 70);
CREATE INDEX run_newest ON millrace.run (workspace, position);
CREATE INDEX run_workflow ON millrace.run (workspace, workflow_id, position);
CREATE INDEX run_unsuccessful ON millrace.run (workspace, phase, position) WHERE phase <> 'completed';
CREATE INDEX run_open ON millrace.run (workflow_id) WHERE phase IN ('pending', 'running');
CREATE INDEX run_due ON millrace.run (due_at) WHERE due_at IS NOT NULL AND NOT paused;
CREATE INDEX run_finished ON millrace.run (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX run_snapshot ON millrace.run (workflow_id, snapshot_hash);

-- Every slot that has been dealt with. Neighbouring ones that were skipped for one reason are one row.
CREATE TABLE millrace.slot (
  workflow_id text COLLATE "C" NOT NULL,
  slot bigint NOT NULL,
  last_slot bigint NOT NULL,
  count integer NOT NULL,
  recorded_at bigint NOT NULL,
  outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('fired', 'skipped')),
  reason text COLLATE "C",
  run_id text COLLATE "C",
  PRIMARY KEY (workflow_id, slot),
  CHECK ((outcome = 'fired') = (run_id IS NOT NULL)),
  CHECK ((outcome = 'skipped') = (reason IS NOT NULL))
);
CREATE INDEX slot_recorded ON millrace.slot (recorded_at);

-- Comparable with the columns of `job` and `run`. No table is rewritten for it.
ALTER TABLE millrace.live
  ALTER COLUMN run_id TYPE text COLLATE "C",
  ALTER COLUMN workflow_id TYPE text COLLATE "C",
  ADD COLUMN sinks text, -- JSON list of rules; null: none
  ADD COLUMN restarted_at bigint, -- when the clock of that attempt was restarted
  ADD COLUMN restarted_attempt integer,
  ADD COLUMN extended_attempt integer; -- the attempt that has added items to its run
-- What holds a slot of a run, and what waits for one or for its run.
CREATE INDEX live_run_slot ON millrace.live (run_id)
  WHERE run_id IS NOT NULL AND status IN ('queued', 'running', 'cancelling');
CREATE INDEX live_run_waiting ON millrace.live (run_id, status_reason, priority DESC, sequence)
  WHERE run_id IS NOT NULL AND status = 'pending';

-- What running items have added to their runs and what joins when that attempt completes.
CREATE TABLE millrace.extension (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL,
  attempt integer NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  items text NOT NULL, -- JSON list of jobs, their secrets in hexadecimal
  count integer NOT NULL
);
CREATE INDEX extension_job ON millrace.extension (job_id);
CREATE INDEX extension_run ON millrace.extension (run_id);

-- `data` and `blob_key` are both null once its time is over.
CREATE TABLE millrace.result (
  job_id uuid PRIMARY KEY,
  bytes bigint NOT NULL,
  expires_at bigint,
  format text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  blob_key text COLLATE "C",
  data bytea
);
CREATE INDEX result_blob ON millrace.result (blob_key) WHERE blob_key IS NOT NULL;
CREATE INDEX result_expires ON millrace.result (expires_at)
  WHERE expires_at IS NOT NULL AND (blob_key IS NOT NULL OR data IS NOT NULL);

-- The outbox. `due_at` is when it may be claimed: while it is claimed, the end of that claim.
CREATE TABLE millrace.delivery (
  id uuid PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  job_id uuid NOT NULL,
  sink_index integer NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  due_at bigint,
  wait_ms bigint, -- how long before `due_at` that was decided
  next_try_at bigint,
  first_try_at bigint,
  last_try_at bigint,
  delivered_at bigint,
  last_status integer,
  claim_token uuid,
  workspace text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'stopped')),
  run_id text COLLATE "C",
  workflow_id text COLLATE "C",
  last_error text,
  CHECK ((status = 'pending') = (due_at IS NOT NULL)),
  CHECK (status = 'pending' OR claim_token IS NULL)
) WITH (fillfactor = 80);
CREATE INDEX delivery_due ON millrace.delivery (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_decided ON millrace.delivery ((due_at - wait_ms)) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_job ON millrace.delivery (job_id);
CREATE INDEX delivery_newest ON millrace.delivery (workspace, position);
CREATE INDEX delivery_undelivered ON millrace.delivery (workspace, status, position) WHERE status <> 'delivered';
CREATE INDEX delivery_run ON millrace.delivery (workspace, run_id, position) WHERE run_id IS NOT NULL;
CREATE INDEX delivery_workflow ON millrace.delivery (workspace, workflow_id, position) WHERE workflow_id IS NOT NULL;
CREATE INDEX delivery_ended ON millrace.delivery (created_at) WHERE status <> 'pending';

ALTER TABLE millrace.workspace ADD COLUMN notification_preference text NOT NULL DEFAULT 'alerts';
CREATE TABLE millrace.notification (
  id uuid PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  workspace text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  title text NOT NULL,
  message text NOT NULL,
  workflow_id text COLLATE "C",
  run_id text COLLATE "C",
  job_id uuid,
  created_at bigint NOT NULL,
  read_at bigint
);
CREATE INDEX notification_newest ON millrace.notification (workspace, position);
CREATE INDEX notification_unread ON millrace.notification (workspace, position) WHERE read_at IS NULL;
CREATE INDEX notification_workflow ON millrace.notification (workflow_id) WHERE workflow_id IS NOT NULL;
CREATE INDEX notification_created ON millrace.notification (created_at);

-- Sums of what has been: for durations one row a bucket of the histogram, for counts one with bucket 0.
CREATE TABLE millrace.hour_sum (
  workspace text COLLATE "C" NOT NULL,
  hour bigint NOT NULL,
  workflow_id text COLLATE "C" NOT NULL, -- empty for jobs of no workflow
  measure text COLLATE "C" NOT NULL CHECK (measure IN (
    'completed', 'failed', 'cancelled', 'log_lines', 'wait', 'run', 'lateness', 'slots_fired', 'slots_skipped')),
  bucket integer NOT NULL,
  amount bigint NOT NULL,
  PRIMARY KEY (workspace, hour, workflow_id, measure, bucket)
) WITH (fillfactor = 80);
CREATE INDEX hour_sum_hour ON millrace.hour_sum (hour);

-- Up to which ended job the sums reach: the one row that those who move it lock.
CREATE TABLE millrace.summed (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  finished_at bigint NOT NULL,
  id uuid NOT NULL
);
INSERT INTO millrace.summed (finished_at, id) VALUES (-1, '00000000-0000-0000-0000-000000000000');
