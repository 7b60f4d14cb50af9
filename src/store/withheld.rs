//! Counts the sessions that name trips of other agents, for `check`.

use uuid::Uuid;

use crate::postgres::transaction::Pool;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldTrips {
    pub sessions: i64,
    pub trips: i64,
    /// One of the sessions.
    pub session: Uuid,
    /// The key of its trip.
    pub trip: String,
    /// The trips that all their sessions lack: nothing proves to whom they belong.
    pub without_owner: Vec<String>,
}

/// Returns the withheld trips; `None` if there are none.
pub async fn read(pool: &Pool) -> Result<Option<WithheldTrips>, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        WITH withheld AS MATERIALIZED (
            SELECT session_id, withheld_trip AS trip FROM avinode_ingest.session_state WHERE withheld_trip IS NOT NULL
        ), without_owner AS (
            SELECT known.trip
            FROM (SELECT DISTINCT trip FROM withheld ORDER BY trip LIMIT 1000) AS known
            WHERE NOT EXISTS (
                SELECT FROM avinode_ingest.sessions_of_trips(known.trip || ARRAY(
                    SELECT alias.key FROM avinode_ingest.trips AS alias WHERE alias.merged_into = known.trip
                )) AS found
                WHERE found.session_id NOT IN (SELECT session_id FROM withheld)
            )
            ORDER BY known.trip
            LIMIT 5
        )
        SELECT count(*) AS "sessions!", count(DISTINCT trip) AS "trips!",
            (SELECT session_id FROM withheld ORDER BY session_id LIMIT 1) AS session,
            (SELECT trip FROM withheld ORDER BY session_id LIMIT 1) AS trip,
            ARRAY(SELECT trip FROM without_owner) AS "without_owner!: Vec<String>"
        FROM withheld
        "#
    );
    let found = pool.fetch_one(query).await?;
    let example = found.session.zip(found.trip);
    Ok(example.map(|(session, trip)| WithheldTrips {
        sessions: found.sessions,
        trips: found.trips,
        session,
        trip,
        without_owner: found.without_owner,
    }))
}
