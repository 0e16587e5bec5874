import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';

/** Fills the store up to `rows` predictions, counters included, beside the running server; returns how many there are. */
export async function addPredictions(file: string, rows: number): Promise<number> {
  // What the server still holds back is written within this time; then the file is ours for a moment.
  await wait(500);
  const database = new DatabaseSync(file);
  database.exec('pragma busy_timeout = 10000');
  const present = database.prepare(`select value as n from counter where name = 'predictions'`).get() as
    { n: number } | undefined;
  // A store that was never asked has no counter yet.
  const counted = present?.n ?? 0;
  const missing = Math.max(0, rows - counted);
  const now = Date.now();
  database.exec(`begin immediate;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${missing})
      insert into prediction (id, at_ms, model_type, severity_score, recommended_action, anomalous, body)
      select 'bench-' || i, ${now} - i * 60, 'anomaly', 0.1, 'no_action', 0, '{"is_anomaly":false}' from n where ${missing} > 0;
    insert into prediction_minute (minute, n)
      select at_ms / 60000, count(*) from prediction where id like 'bench-%' group by 1
      on conflict (minute) do update set n = n + excluded.n;
    insert into counter (name, value) values ('predictions', ${missing})
      on conflict (name) do update set value = value + excluded.value;
    commit`);
  database.close();
  return counted + missing;
}
