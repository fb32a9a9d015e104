//! Scans T-SQL for words that write (to be completed).
