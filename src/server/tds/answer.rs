//! An answer as tiberius gives it, read to its end; and what is made of it: a reading, an identity, a clock.

use chrono::{DateTime, NaiveDateTime, Utc};
use tiberius::{ColumnData, ColumnType, QueryStream, Row};

use crate::limits;
use crate::reading::{Cell, Column, Reading, ServerFacts, Source, Trouble, TroubleCode};
use crate::server::{statement, value};

/// The columns of the first result set, and the rows of each.
pub(super) struct Answer {
    columns: Vec<tiberius::Column>,
    sets: Vec<Vec<Row>>,
}

impl Answer {
    /// Reads to the end: an error after the rows counts.
    pub(super) async fn collect(mut stream: QueryStream<'_>) -> tiberius::Result<Self> {
        let columns = stream.columns().await?.map(<[_]>::to_vec).unwrap_or_default();
        let sets = stream.into_results().await?;
        Ok(Self { columns, sets })
    }

    /// One question has one result set; none is not an empty one, and of two nobody knows which is meant.
    pub(super) fn only(self, endpoint: &str) -> Result<Self, Trouble> {
        match self.sets.len() {
            1 => Ok(self),
            0 => Err(Trouble::new(
                TroubleCode::NoResultSet,
                format!("{endpoint}: the statement ended without a result set"),
            )),
            n => Err(Trouble::new(
                TroubleCode::NotSupported,
                format!("{endpoint}: {n} result sets came back; one query gives one"),
            )),
        }
    }

    fn rows(&self) -> &[Row] {
        self.sets.first().map_or(&[], Vec::as_slice)
    }

    /// As evidence.
    pub(super) fn reading(&self, by: &Identity, endpoint: &str) -> Result<Reading, Trouble> {
        let columns: Vec<Column> = self
            .columns
            .iter()
            .map(|c| Column { name: c.name().to_owned(), kind: value::kind(c.column_type()) })
            .collect();
        let rows = self.rows();
        let mut kept = Vec::with_capacity(rows.len().min(limits::READING_ROWS));
        for row in rows.iter().take(limits::READING_ROWS) {
            let mut cells = Vec::with_capacity(columns.len());
            for (column, data) in row.cells() {
                cells.push(value::cell(data, column.column_type()).map_err(|why| {
                    let message = format!("{endpoint}: column {} holds {why}", column.name());
                    Trouble::new(TroubleCode::Other, message)
                })?);
            }
            value::place(&columns, &mut cells, by.offset_minutes);
            kept.push(cells);
        }
        Ok(Reading {
            source: Source::Sql,
            server: Some(by.facts()),
            query_sha256: None,
            columns,
            row_count: rows.len() as u64,
            truncated: rows.len() > kept.len(),
            rows: kept,
            took_ms: 0,
            messages: Vec::new(),
        })
    }

    fn text(&self, name: &str) -> Result<String, Trouble> {
        match self.first(name) {
            Some(ColumnData::String(Some(text))) => Ok(text.to_string()),
            _ => Err(unclear(name)),
        }
    }

    /// A time in the first row, as the server's clock shows it.
    pub(super) fn time(&self, name: &str) -> Result<NaiveDateTime, Trouble> {
        let data = self.first(name).ok_or_else(|| unclear(name))?;
        match value::cell(data, ColumnType::Datetime2) {
            Ok(Cell::Time { time, .. }) => Ok(time),
            _ => Err(unclear(name)),
        }
    }

    fn first(&self, name: &str) -> Option<&ColumnData<'static>> {
        let index = self.columns.iter().position(|c| c.name().eq_ignore_ascii_case(name))?;
        self.rows().first()?.cells().nth(index).map(|(_, data)| data)
    }
}

fn unclear(name: &str) -> Trouble {
    Trouble::new(TroubleCode::NotSupported, format!("the server does not say its {name}"))
}

/// What a server says of itself: who it is since the connection was opened, its clock when it last answered.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct Identity {
    pub(in crate::server) name: String,
    pub(in crate::server) version: String,
    pub(in crate::server) banner: String,
    clock: DateTime<Utc>,
    pub(in crate::server) offset_minutes: i32,
}

impl Identity {
    /// From the answer to [`statement::IDENTITY`].
    pub(super) fn read(answer: &Answer) -> Result<Self, Trouble> {
        let mut identity = Self {
            name: answer.text("server_name")?,
            version: answer.text("product_version")?,
            banner: answer.text("banner")?,
            ..Self::default()
        };
        identity.set_clock(answer)?;
        Ok(identity)
    }

    /// From the answer to [`statement::CLOCK`].
    pub(super) fn set_clock(&mut self, answer: &Answer) -> Result<(), Trouble> {
        let (utc, local) = (answer.time("utc_now")?, answer.time("local_now")?);
        self.clock = utc.and_utc();
        self.offset_minutes = statement::offset_minutes(utc, local);
        Ok(())
    }

    /// As a reading carries it.
    pub(in crate::server) fn facts(&self) -> ServerFacts {
        ServerFacts {
            name: self.name.clone(),
            version: self.version.clone(),
            simulated: self.banner.to_lowercase().contains("simulated"),
            clock: self.clock,
            offset_minutes: self.offset_minutes,
        }
    }
}
