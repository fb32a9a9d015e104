-- name: biztalk/mark
-- purpose: newest mark
-- in: any
-- column: mark nvarchar(128)
-- examines: database
-- reads only
SELECT TOP (1) mark FROM dbo.marks ORDER BY at DESC;
