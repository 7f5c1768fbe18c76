ALTER TABLE artifact ADD COLUMN attempt INTEGER; -- null: uploaded by a user
