//! The agent as clients script it: jobs made by its procedures, run on the drill clock, read back from msdb.
//!
//! The estate stands at 11:07:30 local time, one hour east of Greenwich.

use super::asking::{Estate, check};

/// Makes a job as management tools script it.
const NIGHTLY: &str = "USE msdb;
DECLARE @job uniqueidentifier, @s int;
EXEC @s = msdb.dbo.sp_add_job @job_name = N'Nightly', @enabled = 1, @description = N'for a test',
  @category_name = N'Database Maintenance', @owner_login_name = N'sa', @job_id = @job OUTPUT;
EXEC sp_add_jobstep @job_id = @job, @step_name = N'Say', @step_id = 1, @on_success_action = 3, @on_fail_action = 2,
  @subsystem = N'TSQL', @command = N'PRINT ''hello''; INSERT dbo.Seen SELECT 1', @database_name = N'Shop', @retry_attempts = 1, @retry_interval = 2;
EXEC sp_add_jobstep @job_id = @job, @step_name = N'Back up', @command = N'BACKUP DATABASE Shop TO DISK = N''C:\\Backup\\Shop.bak'' WITH INIT', @database_name = N'master';
EXEC sp_update_job @job_id = @job, @start_step_id = 1;
EXEC sp_add_jobserver @job_id = @job, @server_name = N'(local)';
SELECT name, enabled, start_step_id, category_id FROM sysjobs WHERE job_id = @job";

const HISTORY: &str = "SELECT h.step_id, h.step_name, h.run_status, h.run_date, h.run_time, h.run_duration, h.retries_attempted, h.sql_message_id
 FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name = 'Nightly' ORDER BY h.instance_id";

fn estate(folder: &tempfile::TempDir) -> Estate {
    Estate::new(folder.path())
}

#[test]
fn a_scripted_job_runs_its_steps_for_real_and_leaves_its_history() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(&folder);
    estate.ask(2019, "EXEC master.dbo.xp_create_subdir 'C:\\Backup'");
    let made = estate.ask(2019, &NIGHTLY.replace("INSERT dbo.Seen SELECT 1", "SELECT 1"));
    assert_eq!(made, "I5701:Changed database context to 'msdb'.; Nightly,1,1,3");
    let started = estate.ask(2019, "EXEC msdb.dbo.sp_start_job N'Nightly'");
    assert_eq!(started, "I0:Job 'Nightly' started successfully.");
    assert_eq!(estate.ask(2019, "EXEC msdb.dbo.sp_start_job N'Nightly'"), "E22022");
    estate.wait(20);
    let message = estate.ask(
        2019,
        "SELECT message FROM msdb.dbo.sysjobhistory WHERE step_name IN ('Say', '(Job outcome)') ORDER BY instance_id",
    );
    assert_eq!(
        message,
        "Executed as user: NT SERVICE\\SQLSERVERAGENT. hello [SQLSTATE 01000] (Message 0).  The step succeeded. | The job failed.  The Job was invoked by User sa.  The last step to run was step 2 (Back up)."
    );
    let backup = estate.ask(2019, "SELECT sql_message_id, sql_severity, message FROM msdb.dbo.sysjobhistory WHERE step_name = 'Back up'");
    assert!(backup.starts_with("3013,16,Executed as user: NT SERVICE\\SQLSERVERAGENT. Cannot open backup device 'C:\\Backup\\Shop.bak'. Operating system error 3("), "{backup}");
}

#[test]
fn a_failing_step_is_tried_again_after_its_interval() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(&folder);
    estate.ask(2019, NIGHTLY);
    estate.ask(2019, "EXEC msdb.dbo.sp_start_job @job_name = N'Nightly', @output_flag = 0");
    estate.wait(60);
    let activity = "EXEC master.dbo.xp_sqlagent_enum_jobs 1, 'sa'";
    let answer = estate.ask(2019, activity);
    assert!(answer.ends_with(",User sa,1,1,1,3"), "between two tries: {answer}");
    estate.wait(200);
    assert_eq!(
        estate.ask(2019, HISTORY),
        "1,Say,2,20260302,110730,0,0,208 | 1,Say,0,20260302,110930,0,1,208 | 0,(Job outcome),0,20260302,110730,201,0,0"
    );
    assert_eq!(
        estate.ask(2019, "SELECT last_run_outcome, last_run_date, last_run_time, last_run_duration FROM msdb.dbo.sysjobservers"),
        "0,20260302,110730,201"
    );
}

#[test]
fn schedules_run_jobs_on_the_local_clock_and_goto_jumps() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(&folder);
    let sql = "USE msdb; DECLARE @s int;
EXEC sp_add_job 'Hourly';
EXEC sp_add_jobstep @job_name = 'Hourly', @step_name = 'first', @command = 'PRINT 1', @on_success_action = 4, @on_success_step_id = 3;
EXEC sp_add_jobstep @job_name = 'Hourly', @step_name = 'second', @command = 'PRINT 2';
EXEC sp_add_jobstep @job_name = 'Hourly', @step_name = 'third', @command = 'RAISERROR(''no'', 16, 1)', @on_fail_action = 1;
EXEC sp_add_schedule @schedule_name = 'at 20', @freq_type = 4, @freq_interval = 1, @freq_subday_type = 8, @freq_subday_interval = 1, @active_start_time = 2000, @schedule_id = @s OUTPUT;
EXEC sp_attach_schedule @job_name = 'Hourly', @schedule_id = @s;
SELECT @s";
    assert!(estate.ask(2022, sql).ends_with("; 9"), "{}", estate.ask(2022, "SELECT 1"));
    let next = "SELECT next_run_date, next_run_time FROM msdb.dbo.sysjobschedules";
    assert_eq!(estate.ask(2022, next), "20260302,112000");
    assert_eq!(estate.ask(2022, "EXEC msdb.dbo.sp_start_job 'Hourly'"), "E14256", "it has no server");
    estate.wait(3600);
    assert_eq!(estate.ask(2022, "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory"), "0");
    estate.ask(2022, "EXEC msdb.dbo.sp_add_jobserver @job_name = 'Hourly'");
    estate.wait(3600);
    let history = "SELECT step_id, run_status, run_date, run_time / 100, sql_message_id FROM msdb.dbo.sysjobhistory ORDER BY instance_id";
    assert_eq!(
        estate.ask(2022, history),
        "1,1,20260302,1220,0 | 3,0,20260302,1220,50000 | 0,1,20260302,1220,0"
    );
    check(
        &estate,
        2022,
        &[
            ("EXEC msdb.dbo.sp_add_jobserver @job_name = 'Hourly', @server_name = N'(LOCAL)'", "E14269"),
            ("EXEC msdb.dbo.sp_add_job @job_name = 'hourly'", "E14261"),
            ("EXEC msdb.dbo.sp_add_job @job_name = 'x', @category_name = 'nowhere'", "E14262"),
            ("EXEC msdb.dbo.sp_add_job @job_name = 'x', @enabled = 7", "E14266"),
            ("EXEC msdb.dbo.sp_add_job @jobname = 'x'", "E8145"),
            ("EXEC msdb.dbo.sp_update_job @enabled = 0", "E14294"),
            ("EXEC msdb.dbo.sp_delete_schedule @schedule_name = 'at 20'", "E14372"),
            ("EXEC msdb.dbo.sp_add_jobstep @job_name = 'Hourly', @step_name = 'THIRD'", "E14261"),
            (
                "EXEC msdb.dbo.sp_add_jobstep @job_name = 'Hourly', @step_name = 'x', @subsystem = 'COBOL'",
                "E14234",
            ),
            (
                "EXEC msdb.dbo.sp_add_schedule @schedule_name = 'x', @freq_type = 128",
                "E59999:not modelled: schedules that run when the CPUs are idle",
            ),
            ("EXEC msdb.dbo.sp_add_schedule @schedule_name = 'x', @freq_type = 3", "E14266"),
            (
                "EXEC msdb.dbo.sp_add_schedule @schedule_name = 'x', @freq_type = 8, @freq_interval = 200",
                "E14200",
            ),
            ("EXEC msdb.dbo.sp_start_job @job_name = 'nobody'", "E14262"),
            ("EXEC msdb.dbo.sp_start_job @job_name = 'Hourly', @step_name = 'nowhere'", "E14262"),
            ("EXEC msdb.dbo.sp_stop_job @job_name = 'Hourly'", "E22022"),
            ("EXEC msdb.dbo.sp_purge_jobhistory @job_name = 'Hourly'", "I0:3 history entries purged."),
            ("EXEC msdb.dbo.sp_delete_job @job_name = 'Hourly'", ""),
            ("SELECT COUNT(*) FROM msdb.dbo.sysschedules", "0"),
        ],
    );
}

#[test]
fn a_stopped_agent_starts_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(&folder);
    estate.ask(2016, NIGHTLY);
    estate.ask(
        2016,
        "EXEC msdb.dbo.sp_update_jobstep @job_name = 'Nightly', @step_id = 1, @command = N'WAITFOR DELAY ''00:10:00''';
         EXEC msdb.dbo.sp_add_jobschedule @job_name = 'Nightly', @name = 'at start', @freq_type = 64;
         EXEC msdb.dbo.sp_start_job 'Nightly'",
    );
    estate.wait(300);
    let running = "SELECT last_executed_step_id, CASE WHEN stop_execution_date IS NULL THEN 'runs' ELSE 'ended' END FROM msdb.dbo.sysjobactivity WHERE session_id = (SELECT MAX(session_id) FROM msdb.dbo.syssessions)";
    check(
        &estate,
        2016,
        &[
            (running, "NULL,runs"),
            ("EXEC master.dbo.xp_servicecontrol N'QUERYSTATE', N'SQLServerAGENT'", "Running."),
            ("EXEC master.dbo.xp_servicecontrol N'STOP', N'SQLServerAGENT'", "I0:Service stopped."),
            ("EXEC master.dbo.xp_servicecontrol N'QUERYSTATE', N'SQLServerAGENT'", "Stopped."),
            ("EXEC msdb.dbo.sp_start_job 'Nightly'", "E22022"),
            (
                "SELECT run_status, LEFT(message, 63) FROM msdb.dbo.sysjobhistory WHERE step_id = 0",
                "3,The job was stopped prior to completion by Shutdown Sequence 0.",
            ),
            (
                "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE 'SQL Server Agent%'",
                "Stopped",
            ),
            ("SELECT COUNT(*) FROM msdb.dbo.syssessions", "1"),
            ("EXEC master.dbo.xp_servicecontrol N'START', N'SQLServerAGENT'", "I0:Service started."),
            ("SELECT COUNT(*) FROM msdb.dbo.syssessions", "2"),
        ],
    );
    estate.wait(5);
    assert_eq!(estate.ask(2016, running), "NULL,runs", "the schedule at its start");
    estate.wait(900);
    let last = "SELECT TOP 1 run_status, run_duration FROM msdb.dbo.sysjobhistory WHERE step_id = 1 ORDER BY instance_id DESC";
    assert_eq!(estate.ask(2016, last), "1,1000", "ten minutes of waiting");
}

#[test]
fn what_the_help_procedures_tell_has_the_documented_columns() {
    let folder = tempfile::tempdir().unwrap();
    let estate = estate(&folder);
    estate.ask(2017, NIGHTLY);
    let columns = |sql: &str| {
        let mut session = estate.session(2017, "sa");
        super::asking::columns(&mut *session, sql).into_iter().map(|c| c.0).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        columns("EXEC msdb.dbo.sp_help_job"),
        "job_id originating_server name enabled description start_step_id category owner notify_level_eventlog notify_level_email notify_level_netsend notify_level_page notify_email_operator notify_netsend_operator notify_page_operator delete_level date_created date_modified version_number last_run_date last_run_time last_run_outcome next_run_date next_run_time next_run_schedule_id current_execution_status current_execution_step current_retry_attempt has_step has_schedule has_target type"
    );
    assert_eq!(
        columns("EXEC msdb.dbo.sp_help_jobhistory @mode = 'FULL'"),
        "instance_id job_id job_name step_id step_name sql_message_id sql_severity message run_status run_date run_time run_duration operator_emailed operator_netsent operator_paged retries_attempted server"
    );
    let seen =
        estate.ask(2017, "EXEC msdb.dbo.sp_help_jobstep @job_name = 'Nightly', @step_id = 2, @suffix = 1");
    assert!(
        seen.starts_with("2,Back up,TSQL,BACKUP DATABASE") && seen.contains("1 (Quit with success)"),
        "{seen}"
    );
    let captured = "DECLARE @t TABLE (a uniqueidentifier, b sysname, c int, d int, e int, f int, g nvarchar(20), h nvarchar(20), i nvarchar(20), j int, k nvarchar(30));
        INSERT @t EXEC msdb.dbo.sp_help_jobhistory @job_name = 'Nightly'; SELECT COUNT(*) FROM @t";
    assert_eq!(estate.ask(2017, captured), "0");
    let sets = estate.ask(2017, "EXEC msdb.dbo.sp_help_job @job_name = 'Nightly', @job_aspect = 'ALL'");
    assert_eq!(sets.matches("; ").count(), 4, "job, steps, schedules and targets, and one in a text: {sets}");
}
