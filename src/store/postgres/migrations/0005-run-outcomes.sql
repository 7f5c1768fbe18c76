-- A manual run of a workflow that was terminated when it was made does not move its counter of failures, whatever the
-- workflow is when it ends.
ALTER TABLE millrace.run ADD COLUMN outcome_counts boolean NOT NULL DEFAULT true;
UPDATE millrace.run SET outcome_counts = false
WHERE phase IN ('pending', 'running') AND trigger = 'manual'
  AND workflow_id IN (SELECT id FROM millrace.workflow WHERE state = 'terminated');
