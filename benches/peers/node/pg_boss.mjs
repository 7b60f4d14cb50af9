// pg-boss with batches of 1,000 jobs, fetched one after the other without a pause. Its `work` waits half a second between two
// batches, so that `fetch` and `complete`, which `work` calls, are called directly.
// Usage: node pg_boss.mjs SOCKET-FOLDER DATABASE JOBS CONNECTIONS. Prints the jobs per second.
import PgBoss from "pg-boss";
import { connect, untilNone } from "./common.mjs";

const { jobs, connections, pool, observer } = connect(process.argv);
const BATCH = 1000;
const FETCHERS = Math.min(4, connections);

const boss = new PgBoss({
  db: { executeSql: (text, values) => pool.query(text, values) },
  supervise: false,
  schedule: false,
});
boss.on("error", (error) => console.error(error));
await boss.start();
await boss.createQueue("nothing");
for (let inserted = 0; inserted < jobs; inserted += 10_000) {
  const count = Math.min(10_000, jobs - inserted);
  await boss.insert(Array.from({ length: count }, () => ({ name: "nothing", data: {} })));
}
await observer.query("VACUUM (ANALYZE)");
await observer.query("CHECKPOINT");

const began = performance.now();
const fetchUntilNone = async () => {
  for (;;) {
    const batch = await boss.fetch("nothing", { batchSize: BATCH });
    if (batch.length === 0) return;
    await boss.complete("nothing", batch.map((job) => job.id));
  }
};
await Promise.all(Array.from({ length: FETCHERS }, fetchUntilNone));
await untilNone(
  observer,
  "SELECT EXISTS (SELECT FROM pgboss.job WHERE name = 'nothing' AND state <> 'completed') AS left",
);
console.log(jobs / ((performance.now() - began) / 1000));
process.exit(0);
