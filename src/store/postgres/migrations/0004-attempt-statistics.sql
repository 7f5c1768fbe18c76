ALTER TABLE millrace.attempt ADD COLUMN statistics text; -- JSON object
