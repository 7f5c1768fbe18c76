-- A manual run of a workflow that was terminated when it was made does not move its counter of failures, whatever the
-- workflow is when it ends.
ALTER TABLE run ADD COLUMN outcome_counts INTEGER NOT NULL DEFAULT 1;
UPDATE run SET outcome_counts = 0
WHERE phase IN ('pending', 'running') AND trigger = 'manual'
  AND workflow_id IN (SELECT id FROM workflow WHERE state = 'terminated');
