-- name: sql/states
-- purpose: state of every database
-- in: master
-- column: name nvarchar(128)
-- column: state_desc nvarchar(60)
-- column: created datetime
-- examines: database
-- reads only
SELECT name, state_desc, create_date AS created FROM sys.databases;
