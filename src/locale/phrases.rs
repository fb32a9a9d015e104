//! The phrases of the screens as types: a misspelt one does not compile, a missing one does not load.
//!
//! One struct per section of `assets/locales/*/screens.yaml`.

#![allow(missing_docs, reason = "the phrases themselves stand in screens.yaml under the same names")]

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::runbook::Mode;

/// Sections of phrases, each a struct of texts.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($field:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $(pub $field: String),* }
    )*};
}

/// All of `screens.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Screens {
    pub signs: Signs,
    pub modes: Modes,
    pub labels: Labels,
    pub tells: Tells,
    pub why_not: WhyNots,
    pub expectations: Expectations,
    pub evidence: EvidenceWords,
    pub dialogs: Dialogs,
    pub home: HomeWords,
    pub frame: FrameWords,
    pub help: HelpWords,
    pub plain: PlainWords,
    pub actions: BTreeMap<String, ActionWords>,
}

/// What a key does: on the bottom line, and in the help.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionWords {
    pub short: String,
    pub help: String,
}

impl Modes {
    /// The word of a mode.
    pub fn word(&self, mode: Mode) -> &str {
        match mode {
            Mode::Rehearsal => &self.rehearsal,
            Mode::Drill => &self.drill,
            Mode::Incident => &self.incident,
        }
    }
}

sections! {
    /// How a step stands, in a word.
    Signs {
        pass, warn, fail, unknown, not_applicable, locked, ready, running, uncertain, interrupted,
        overridden, skipped, no_way_back,
    }
    /// What a drill is for, in a word.
    Modes {
        rehearsal, drill, incident, simulated,
    }
    /// First words of the rows of a step.
    Labels {
        stands, waits, loses, why, does, asks, asked, found, troubles, acts, skipped, overridden, said,
        note, remedy, next,
    }
    /// What a step says.
    Tells {
        attempt_ended, attempt_running, polls, first_verdict, resolving, waiting_for_job, proving,
        settling, asking, polling, guarding, acting, acted, over, acts_on, attested, not_typed, pauses,
        runs_sql, disables_job, disables_jobs, enables_job, enables_jobs, starts_job, rechecks,
        answered, no_answer_yet, next_poll, poll_now, pause_left, databases, act_intended, act_done,
        act_failed, act_uncertain, act_settled_happened, act_settled_did_not_happen, act_hold,
        overridden, advice_fail, advice_unknown, advice_uncertain, advice_interrupted, advice_skipped,
    }
    /// Why something may not be done now.
    WhyNots {
        broken, closed, locked, busy, not_busy, does_not_apply, settle_first, nothing_uncertain,
        not_an_action, not_acted, nothing_to_override, only_override, nothing_to_skip, no_evidence,
        nothing_to_copy, no_sql,
    }
    /// Expectations of a runbook.
    Expectations {
        every, none, within, age, present, same_across, increasing, covers, rows, otherwise_warn,
        analysis, analysis_expects,
    }
    /// The evidence screen.
    EvidenceWords {
        title, counter, expected, found, answer, asked, server, server_clock, message, clock, took,
        source_sql, source_command, source_file, source_attested, truncated, elsewhere, not_judged, sql,
        no_sql, rows, rows_filtered, no_rows, no_match,
    }
    /// Dialogs and forms.
    Dialogs {
        cancel, button, choose, missing, hint_person, hint_time, hint_number, reason, act_title,
        act_yes, act_what, act_where, act_no_return, act_loses_unknown, act_recheck, act_typed,
        second_name, second_how, second_how_hint, second_not_available, second_missing,
        second_name_missing, second_how_missing, second_both, say_title, say_yes, say_proved,
        say_attested, say_text, outside_title, outside_yes, outside_body, outside_text, enter_title,
        enter_yes, enter_again, settle_title, settle_yes, settle_what, settle_how, settle_choice,
        settle_happened, settle_did_not_happen, settle_reason, suggests_happened,
        suggests_did_not_happen, suggests_pending, suggests_nothing, skip_title, skip_yes, skip_body,
        skip_locks, override_title, override_yes, override_body, override_what, override_whole,
        override_server, override_name, note_title, note_drill, note_yes, note_text, hand_over_title,
        hand_over_yes, hand_over_body, hand_over_to, hand_over_brief, close_title, close_yes,
        close_complete, close_open, close_how, close_completed, close_aborted, close_text, quit_title,
        quit_yes, quit_open, quit_busy, quit_home, start_title, start_yes, start_what, start_mode,
        start_rehearsal, start_drill, start_incident, failed_title, failed_yes,
    }
    /// The home screen.
    HomeWords {
        title, open, starts, recent, nothing, no_open, open_line, start_line, recent_line, starting,
        recent_hint,
    }
    /// Header, footer, notices.
    FrameWords {
        product, rto, rpo, none, missed, here, speed, head, recorded, closed, too_small, broken,
        broken_next, filter, jump, no_such_step, no_match, more, copied, too_long, copied_step,
        copied_sql, copied_evidence, top, refused, stale, closed_now, resumed, phase, steps,
    }
    /// The help screen.
    HelpWords {
        title, anywhere, signs, digits, digits_help,
    }
    /// Plain mode.
    PlainWords {
        welcome, pick, not_a_choice, step, phase, run, prove_again, wait, settle, look_again, act_again,
        outside, stop, evidence, note, skip, override_it, hand_over, close, next_step, other_step, list,
        quit, which_step, blank, blank_hint, optional, sure, went_back, refused, recorded, change,
        answered, answer_rows, all_done, waiting, left, header, rto, resume_line, start_line, row,
        more_rows,
    }
}
