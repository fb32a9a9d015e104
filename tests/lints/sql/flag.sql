-- name: biztalk/clear-flag
-- purpose: clear it
-- in: management
-- examines: flag
-- writes
UPDATE dbo.flags SET flag = 0;
