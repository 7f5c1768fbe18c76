-- Data sources and pipes, who writes tables, and what is about to be published.
-- A job that writes no table pays for none of it: its new columns are null, and no new index has it.

CREATE TABLE millrace.catalogue (
  workspace text COLLATE "C" PRIMARY KEY,
  version integer NOT NULL -- rises with every change of its entries
);

CREATE TABLE millrace.catalogue_entry (
  workspace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL CHECK (type IN ('data_source', 'pipe')),
  name text COLLATE "C" NOT NULL,
  document text NOT NULL, -- JSON object
  PRIMARY KEY (workspace, id),
  UNIQUE (workspace, name)
);

ALTER TABLE millrace.job
  ADD COLUMN data_source text COLLATE "C", -- the one it writes, by name
  ADD COLUMN pipe text COLLATE "C"; -- the one it carries out, by name
CREATE INDEX job_data_source ON millrace.job (workspace, data_source, sequence) WHERE data_source IS NOT NULL;
CREATE INDEX job_pipe ON millrace.job (workspace, pipe, sequence) WHERE pipe IS NOT NULL;

-- The job has committed a publication, so it ends as completed and waits for nothing but a worker. It has an exclusive
-- key: what ends jobs without one asks no questions.
ALTER TABLE millrace.live
  ADD COLUMN published boolean NOT NULL DEFAULT false,
  ADD CHECK (NOT published OR status <> 'pending' AND exclusive_key IS NOT NULL);

-- Held by the attempt of a job, while that is live, or by a call, until a time.
CREATE TABLE millrace.table_lock (
  workspace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL, -- of the table
  job_id uuid,
  attempt integer,
  claim_token uuid,
  call_id text COLLATE "C",
  held_ms bigint,
  held_until bigint,
  PRIMARY KEY (workspace, name),
  CHECK ((claim_token IS NULL) <> (call_id IS NULL)),
  CHECK ((job_id IS NULL) = (claim_token IS NULL) AND (attempt IS NULL) = (claim_token IS NULL)),
  CHECK ((held_until IS NULL) = (call_id IS NULL) AND (held_ms IS NULL) = (call_id IS NULL))
);

CREATE TABLE millrace.publication (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL UNIQUE,
  workspace text COLLATE "C" NOT NULL,
  staging_database text NOT NULL,
  tables text NOT NULL, -- JSON list
  outcome text NOT NULL, -- JSON text
  created_at bigint NOT NULL
);
CREATE INDEX publication_workspace ON millrace.publication (workspace, position);
