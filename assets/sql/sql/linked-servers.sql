-- name:    sql/linked-servers
-- purpose: this server and its linked servers, and what may be called through them
-- in:      master
-- column:  name nvarchar(128)
-- column:  data_source nvarchar(4000)
-- column:  is_linked bit
-- column:  is_rpc_out_enabled bit
-- column:  is_data_access_enabled bit
-- column:  is_remote_proc_transaction_promotion_enabled bit
-- column:  query_timeout int
-- examines: server entry; the server's own is always among them
-- needs:   CONNECT SQL
-- since:   2012
-- reads only
SELECT s.name, s.data_source, s.is_linked, s.is_rpc_out_enabled, s.is_data_access_enabled,
       s.is_remote_proc_transaction_promotion_enabled, s.query_timeout
FROM sys.servers AS s
ORDER BY s.is_linked, s.name;
