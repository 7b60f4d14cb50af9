//! A transaction: its statements have a time limit, and no names behind a transaction pooler.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{AssertSqlSafe, Either, Error, Execute, Executor, SqlSafeStr as _, SqlStr};
use sqlx_core::transaction::TransactionManager as _;
use tokio::time::{Instant, timeout};

use super::connection_health::ConnectionHealth;
use super::connections::{Connection, Manager, ServerWatch};
use super::limits::{self, answer_limit, within};
use super::session_defaults::begin;

/// A transaction, or a savepoint in one. Rolled back when it is dropped.
#[derive(Debug)]
pub struct Transaction<'c> {
    on: TransactionConnection<'c>,
    health: Arc<ConnectionHealth>,
    open: bool,
    named: bool,
    /// For the answer to each statement.
    limit: Duration,
    /// Unknown behind a transaction pooler.
    watch: Option<ServerWatch>,
}

/// Waits for the answer to a statement, at most for this time, and only as long as the server works on it.
pub(super) async fn answered<T>(
    limit: Duration,
    watch: Option<&ServerWatch>,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::pin!(answer);
    let mut left = limit;
    while let Some(watch) = watch
        && left > limits::QUIET
    {
        if let Ok(answer) = timeout(limits::QUIET, &mut answer).await {
            return answer;
        }
        left -= limits::QUIET;
        // The answer may come meanwhile.
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            working = watch.is_working() => if !working {
                return Err(limits::no_answer(limit - left));
            },
        }
    }
    within(left, answer).await
}

#[derive(Debug)]
enum TransactionConnection<'c> {
    Own(Connection),
    /// That of the transaction around the savepoint.
    Outer(&'c mut PgConnection),
}

impl TransactionConnection<'_> {
    fn raw(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(connection) => connection.raw(),
            Self::Outer(connection) => connection,
        }
    }
}

impl Transaction<'static> {
    pub(super) async fn on(
        mut connection: Connection,
        settings: &'static str,
        named: bool,
        statement_limit: Duration,
    ) -> Result<Self, Error> {
        let (health, watch) = (connection.health.clone(), connection.watch());
        let message = AssertSqlSafe(begin(statement_limit, settings)).into_sql_str();
        let begun = within(limits::BEGIN, Manager::begin(connection.raw(), Some(message))).await;
        begun.map_err(|error| {
            // A setting that was refused leaves a transaction open of which the driver does not know.
            health.lose();
            health.examine(error)
        })?;
        Ok(Self {
            on: TransactionConnection::Own(connection),
            health,
            open: true,
            named,
            limit: answer_limit(statement_limit),
            watch,
        })
    }
}

impl Transaction<'_> {
    /// Commits the transaction, or releases the savepoint.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.open = false;
        let (limit, watch) = (self.limit, self.watch.clone());
        let ended = answered(limit, watch.as_ref(), Manager::commit(self.on.raw())).await;
        self.ended(ended)
    }

    /// Rolls back the transaction, or to the savepoint.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.open = false;
        let (limit, watch) = (self.limit, self.watch.clone());
        let ended = answered(limit, watch.as_ref(), Manager::rollback(self.on.raw())).await;
        self.ended(ended)
    }

    /// After an error it is unknown whether the transaction is still open: the connection is not used again.
    fn ended(&mut self, ended: Result<(), Error>) -> Result<(), Error> {
        match (&ended, &mut self.on) {
            (Ok(()), TransactionConnection::Own(connection)) => connection.ended(),
            (Ok(()), TransactionConnection::Outer(_)) => {}
            (Err(_), _) => self.health.lose(),
        }
        ended.map_err(|error| self.health.examine(error))
    }

    /// The connection without protection: its statements must have no name.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.on.raw()
    }

    pub async fn savepoint(&mut self) -> Result<Transaction<'_>, Error> {
        let (health, named, limit) = (self.health.clone(), self.named, self.limit);
        let watch = self.watch.clone();
        let outer = self.on.raw();
        let begun = answered(limit, watch.as_ref(), Manager::begin(outer, None)).await;
        begun.map_err(|error| health.examine(error))?;
        Ok(Transaction {
            on: TransactionConnection::Outer(outer),
            health,
            open: true,
            named,
            limit,
            watch,
        })
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            Manager::start_rollback(self.on.raw());
        }
    }
}

impl<'c> Executor<'c> for &'c mut Transaction<'_> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (named, limit, health, watch) = (self.named, self.limit, self.health.clone(), self.watch.clone());
        let rows = self.on.raw().fetch_many(Statement { query, named });
        let limited = stream::try_unfold((rows, watch, None), move |(mut rows, watch, mut began)| async move {
            // At the first poll.
            let began = *began.get_or_insert_with(Instant::now);
            let left = limit.saturating_sub(began.elapsed());
            let next = answered(left, watch.as_ref(), rows.try_next()).await?;
            Ok(next.map(|next| (next, (rows, watch, Some(began)))))
        });
        limited.map_err(move |error| health.examine(error)).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (named, limit, health, watch) = (self.named, self.limit, self.health.clone(), self.watch.clone());
        let row = self.on.raw().fetch_optional(Statement { query, named });
        Box::pin(async move {
            let row = answered(limit, watch.as_ref(), row).await;
            row.map_err(|error| health.examine(error))
        })
    }

    /// Refused: a prepared statement has a name.
    fn prepare_with<'e>(self, _: SqlStr, _: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async { Err(refused()) })
    }

    /// Refused as well; sqlx's macros use it at compile time only.
    #[doc(hidden)]
    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async { Err(refused()) })
    }
}

fn refused() -> Error {
    Error::Protocol("statements cannot be prepared separately, because a prepared statement has a name".to_owned())
}

/// A query that has a name on the server only if `named`.
struct Statement<Q> {
    query: Q,
    named: bool,
}

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Statement<Q> {
    fn sql(self) -> SqlStr {
        self.query.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.query.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.query.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.named && self.query.persistent()
    }
}
