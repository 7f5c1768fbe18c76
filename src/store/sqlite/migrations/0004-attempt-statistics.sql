ALTER TABLE attempt ADD COLUMN statistics TEXT; -- JSON object
