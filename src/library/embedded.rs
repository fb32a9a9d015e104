//! The files that ship inside the program. Made by `UPDATE=1 cargo test --lib library`; a test keeps it current.
//!
//! Does not know what is in them.

/// A path and its text.
type File = (&'static str, &'static str);

#[rustfmt::skip]
pub(super) const SQL: &[File] = &[
    ("assets/sql/agent/disable-job.sql", include_str!("../../assets/sql/agent/disable-job.sql")),
    ("assets/sql/agent/enable-job.sql", include_str!("../../assets/sql/agent/enable-job.sql")),
    ("assets/sql/agent/hold-job.sql", include_str!("../../assets/sql/agent/hold-job.sql")),
    ("assets/sql/agent/job-outcome.sql", include_str!("../../assets/sql/agent/job-outcome.sql")),
    ("assets/sql/agent/job-snapshot.sql", include_str!("../../assets/sql/agent/job-snapshot.sql")),
    ("assets/sql/agent/job-state.sql", include_str!("../../assets/sql/agent/job-state.sql")),
    ("assets/sql/agent/jobs.sql", include_str!("../../assets/sql/agent/jobs.sql")),
    ("assets/sql/agent/new-jobs.sql", include_str!("../../assets/sql/agent/new-jobs.sql")),
    ("assets/sql/agent/start-job.sql", include_str!("../../assets/sql/agent/start-job.sql")),
    ("assets/sql/biztalk/backup-chain.sql", include_str!("../../assets/sql/biztalk/backup-chain.sql")),
    ("assets/sql/biztalk/backup-job-outcome.sql", include_str!("../../assets/sql/biztalk/backup-job-outcome.sql")),
    ("assets/sql/biztalk/backup-job-resolve.sql", include_str!("../../assets/sql/biztalk/backup-job-resolve.sql")),
    ("assets/sql/biztalk/backup-job.sql", include_str!("../../assets/sql/biztalk/backup-job.sql")),
    ("assets/sql/biztalk/backup-schedule.sql", include_str!("../../assets/sql/biztalk/backup-schedule.sql")),
    ("assets/sql/biztalk/coverage.sql", include_str!("../../assets/sql/biztalk/coverage.sql")),
    ("assets/sql/biztalk/destination-databases.sql", include_str!("../../assets/sql/biztalk/destination-databases.sql")),
    ("assets/sql/biztalk/destination-jobs.sql", include_str!("../../assets/sql/biztalk/destination-jobs.sql")),
    ("assets/sql/biztalk/destination-sets.sql", include_str!("../../assets/sql/biztalk/destination-sets.sql")),
    ("assets/sql/biztalk/files-kept-2012.sql", include_str!("../../assets/sql/biztalk/files-kept-2012.sql")),
    ("assets/sql/biztalk/files-kept.sql", include_str!("../../assets/sql/biztalk/files-kept.sql")),
    ("assets/sql/biztalk/files-needed-2012.sql", include_str!("../../assets/sql/biztalk/files-needed-2012.sql")),
    ("assets/sql/biztalk/files-needed.sql", include_str!("../../assets/sql/biztalk/files-needed.sql")),
    ("assets/sql/biztalk/flags.sql", include_str!("../../assets/sql/biztalk/flags.sql")),
    ("assets/sql/biztalk/foreign-backups.sql", include_str!("../../assets/sql/biztalk/foreign-backups.sql")),
    ("assets/sql/biztalk/group-pointers.sql", include_str!("../../assets/sql/biztalk/group-pointers.sql")),
    ("assets/sql/biztalk/history-job.sql", include_str!("../../assets/sql/biztalk/history-job.sql")),
    ("assets/sql/biztalk/incomplete-sets.sql", include_str!("../../assets/sql/biztalk/incomplete-sets.sql")),
    ("assets/sql/biztalk/job-text.sql", include_str!("../../assets/sql/biztalk/job-text.sql")),
    ("assets/sql/biztalk/jobs-to-hold.sql", include_str!("../../assets/sql/biztalk/jobs-to-hold.sql")),
    ("assets/sql/biztalk/mark-job.sql", include_str!("../../assets/sql/biztalk/mark-job.sql")),
    ("assets/sql/biztalk/marks.sql", include_str!("../../assets/sql/biztalk/marks.sql")),
    ("assets/sql/biztalk/newest-mark.sql", include_str!("../../assets/sql/biztalk/newest-mark.sql")),
    ("assets/sql/biztalk/restore-job.sql", include_str!("../../assets/sql/biztalk/restore-job.sql")),
    ("assets/sql/biztalk/restored.sql", include_str!("../../assets/sql/biztalk/restored.sql")),
    ("assets/sql/biztalk/scope.sql", include_str!("../../assets/sql/biztalk/scope.sql")),
    ("assets/sql/biztalk/share-files.sql", include_str!("../../assets/sql/biztalk/share-files.sql")),
    ("assets/sql/biztalk/source-sets.sql", include_str!("../../assets/sql/biztalk/source-sets.sql")),
    ("assets/sql/server/clock.sql", include_str!("../../assets/sql/server/clock.sql")),
    ("assets/sql/server/identity.sql", include_str!("../../assets/sql/server/identity.sql")),
    ("assets/sql/sql/agent-service.sql", include_str!("../../assets/sql/sql/agent-service.sql")),
    ("assets/sql/sql/configurations.sql", include_str!("../../assets/sql/sql/configurations.sql")),
    ("assets/sql/sql/database-states.sql", include_str!("../../assets/sql/sql/database-states.sql")),
    ("assets/sql/sql/expected-logins.sql", include_str!("../../assets/sql/sql/expected-logins.sql")),
    ("assets/sql/sql/file-paths.sql", include_str!("../../assets/sql/sql/file-paths.sql")),
    ("assets/sql/sql/linked-servers.sql", include_str!("../../assets/sql/sql/linked-servers.sql")),
    ("assets/sql/sql/orphaned-users.sql", include_str!("../../assets/sql/sql/orphaned-users.sql")),
    ("assets/sql/sql/scope-states.sql", include_str!("../../assets/sql/sql/scope-states.sql")),
    ("assets/sql/sql/services.sql", include_str!("../../assets/sql/sql/services.sql")),
    ("assets/sql/sql/sessions.sql", include_str!("../../assets/sql/sql/sessions.sql")),
    ("assets/sql/sql/unsupported.sql", include_str!("../../assets/sql/sql/unsupported.sql")),
    ("assets/sql/sql/volumes.sql", include_str!("../../assets/sql/sql/volumes.sql")),
];

#[rustfmt::skip]
pub(super) const RUNBOOKS: &[File] = &[
    ("runbooks/backup-verification.answers.yaml", include_str!("../../runbooks/backup-verification.answers.yaml")),
    ("runbooks/backup-verification.yaml", include_str!("../../runbooks/backup-verification.yaml")),
    ("runbooks/biztalk-restore-to-mark.answers.yaml", include_str!("../../runbooks/biztalk-restore-to-mark.answers.yaml")),
    ("runbooks/biztalk-restore-to-mark.yaml", include_str!("../../runbooks/biztalk-restore-to-mark.yaml")),
];

#[rustfmt::skip]
pub(super) const WORLDS: &[File] = &[
    ("assets/worlds/ag-biztalk.yaml", include_str!("../../assets/worlds/ag-biztalk.yaml")),
    ("assets/worlds/big.yaml", include_str!("../../assets/worlds/big.yaml")),
    ("assets/worlds/biztalk-three-sources.yaml", include_str!("../../assets/worlds/biztalk-three-sources.yaml")),
    ("assets/worlds/biztalk.yaml", include_str!("../../assets/worlds/biztalk.yaml")),
    ("assets/worlds/logship.yaml", include_str!("../../assets/worlds/logship.yaml")),
    ("assets/worlds/mirrored.yaml", include_str!("../../assets/worlds/mirrored.yaml")),
    ("assets/worlds/quiet-night.yaml", include_str!("../../assets/worlds/quiet-night.yaml")),
    ("assets/worlds/split-transaction.yaml", include_str!("../../assets/worlds/split-transaction.yaml")),
];
