// graphile-worker for Node with the settings that its documentation recommends for throughput: a local queue, and completions in
// batches. Usage: node graphile_worker.mjs SOCKET-FOLDER DATABASE JOBS CONNECTIONS. Prints the jobs per second.
import { Logger, run, runMigrations } from "graphile-worker";
import { connect, untilNone } from "./common.mjs";

const { jobs, connections, pool, observer } = connect(process.argv);

const options = {
  pgPool: pool,
  logger: new Logger(() => () => {}), // a line per job would cost more than the job
  noHandleSignals: true,
};
await runMigrations(options);
for (let added = 0; added < jobs; added += 10_000) {
  await observer.query(
    `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
       SELECT json_populate_record(NULL::graphile_worker.job_spec, '{"identifier": "nothing"}') FROM generate_series(1, $1::int)
     ))`,
    [Math.min(10_000, jobs - added)],
  );
}
await observer.query("VACUUM (ANALYZE) graphile_worker._private_jobs");
await observer.query("CHECKPOINT");

const began = performance.now();
const runner = await run({
  ...options,
  taskList: { nothing: async () => {} },
  preset: {
    worker: {
      concurrentJobs: 100,
      maxPoolSize: connections,
      pollInterval: 50,
      localQueue: { size: 5000 },
      completeJobBatchDelay: 5,
      failJobBatchDelay: 5,
    },
  },
});
await untilNone(observer, "SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS left");
console.log(jobs / ((performance.now() - began) / 1000));
await runner.stop();
process.exit(0);
