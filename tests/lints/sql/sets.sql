-- name: biztalk/sets
-- purpose: backup sets known here
-- in: management
-- param: @since datetime2
-- column: set_id bigint
-- examines: backup set
-- reads only
SELECT set_id FROM dbo.sets WHERE at >= @since;
