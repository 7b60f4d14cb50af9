//! A test's connections: the pool of the service, and one of an application, which sends statements outside of a transaction
//! as the service's cannot.

use std::ops::Deref;
use std::time::Duration;

use avinode_ingest::postgres::transaction;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::postgres::{
    PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres,
};
use sqlx::{Either, Error, Execute, Executor, SqlStr, Transaction};

/// The connections.
#[derive(Debug, Clone)]
pub struct Pool {
    service: transaction::Pool,
    application: PgPool,
}

impl Pool {
    /// At most `max` connections to Postgres itself, made when they are needed.
    pub fn new(options: PgConnectOptions, max: u32) -> Self {
        let application = PgPoolOptions::new()
            .max_connections(max)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(options.application_name("test"));
        Self {
            service: transaction::Pool::from(application.clone()),
            application,
        }
    }

    /// The service's.
    pub fn service(&self) -> transaction::Pool {
        self.service.clone()
    }

    /// A transaction of the application's.
    pub async fn application(&self) -> Transaction<'static, Postgres> {
        self.application.begin().await.unwrap()
    }

    /// Closes all of them.
    pub async fn close(&self) {
        self.service.close().await;
        self.application.close().await;
    }

    /// Where they lead to.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.application.connect_options().as_ref().clone()
    }

    /// A connection that is not given back.
    pub async fn connection(&self) -> PgConnection {
        self.application.acquire().await.unwrap().detach()
    }
}

impl Deref for Pool {
    type Target = transaction::Pool;

    fn deref(&self) -> &transaction::Pool {
        &self.service
    }
}

impl<'p> Executor<'p> for &Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.application.fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.application.fetch_optional(query)
    }

    fn prepare_with<'e>(self, sql: SqlStr, types: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        self.application.prepare_with(sql, types)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        self.application.describe(sql)
    }
}
