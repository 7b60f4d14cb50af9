// Connections to the measured database, and the end of a measurement.
import pg from "pg";

export function connect([, , host, database, jobs, connections]) {
  const options = { host, database, user: "avinode", port: 5432 };
  return {
    jobs: Number(jobs),
    connections: Number(connections),
    pool: pool({ ...options, max: Number(connections) }),
    observer: pool({ ...options, max: 1 }),
  };
}

function pool(options) {
  const created = new pg.Pool(options);
  created.on("error", (error) => console.error(error));
  created.on("connect", (client) => client.on("error", (error) => console.error(error)));
  return created;
}

// Asks every few milliseconds until no job is left.
export async function untilNone(observer, query) {
  const began = performance.now();
  while ((await observer.query(query)).rows[0].left) {
    if (performance.now() - began > 300_000) throw new Error("the jobs were not done within 300 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
