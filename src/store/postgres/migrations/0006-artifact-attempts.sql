ALTER TABLE millrace.artifact ADD COLUMN attempt integer; -- null: uploaded by a user
