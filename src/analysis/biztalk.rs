//! Analyses about BizTalk: its backup job, its log shipping, its group.

pub mod backup_job;
pub mod connections;
pub mod coverage;
pub mod destination_state;
pub mod files_readable;
pub mod job_text;
pub mod linked_back;
pub mod no_old_server;
pub mod options;
pub mod pointers;
pub mod scope;
pub mod set_age;
pub mod shipping_jobs;
pub mod unsupported;
pub mod whole_sets;
