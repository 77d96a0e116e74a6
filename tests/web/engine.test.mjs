// Every report in another DuckDB: an older version, in WebAssembly, without ICU and other extensions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { report, tenant } from "./tenant.mjs";

const BLOCKING = "@duckdb/duckdb-wasm/dist/duckdb-node-blocking.cjs";
const require = createRequire(import.meta.url);
let world;
let connection;

before(async () => {
  world = await tenant();
  const duckdb = require(BLOCKING);
  const dist = dirname(require.resolve(BLOCKING));
  const bundle = (name) => ({ mainModule: join(dist, `duckdb-${name}.wasm`), mainWorker: "" });
  const engine = await duckdb.createDuckDB({ mvp: bundle("mvp"), eh: bundle("eh") }, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME);
  await engine.instantiate(() => {});
  engine.registerFileBuffer("vcq.duckdb", new Uint8Array(readFileSync(join(world.store, "vcq.duckdb"))));
  engine.open({ path: "vcq.duckdb" });
  connection = engine.connect();
  query("set autoinstall_known_extensions = false");
  query("set autoload_known_extensions = false");
});
after(() => world?.remove());

/** Rows as objects of plain values. */
function query(sql) {
  return JSON.parse(JSON.stringify(connection.query(sql).toArray().map((row) => row.toJSON()), (_, value) => (typeof value === "bigint" ? Number(value) : value)));
}

test("the engine has neither ICU nor another extension", () => {
  assert.deepEqual(query("select extension_name from duckdb_extensions() where loaded"), [{ extension_name: "core_functions" }]);
  assert.throws(() => query("select timestamptz '2026-11-02 00:00:00 Asia/Shanghai' + interval 1 month"));
});

test("every report gives the same rows as the program", () => {
  const names = query("select distinct function_name as name from duckdb_functions() where function_name like 'report_%' order by 1");
  assert.ok(names.length >= 35, `${names.length} reports`);
  const [{ meeting_no, user_id }] = query(`select min(m.meeting_no) as meeting_no, min(p.user_id) as user_id
    from quality_samples as q join meetings as m using (meeting_key) join participants as p using (participant_key)`);
  const [{ incident_id }] = query("select coalesce(min(incident_id), 'none') as incident_id from incidents");
  for (const { name } of names) {
    const needed = {
      report_incident: { incident_id }, report_meeting_timeline: { meeting_no }, report_user_timeline: { who: user_id },
    }[name] ?? {};
    const given = Object.entries(needed).map(([key, value]) => `${key} := '${value}'`).join(", ");
    // Numbers are compared with a tolerance: sums may differ in the last digit.
    const there = query(`select * from ${name}(${given})`);
    const here = report(world, name.slice("report_".length).replaceAll("_", "-"), needed);
    assert.equal(there.length, here.length, name);
    if (here.length === 0) continue;
    assert.deepEqual(Object.keys(there[0]), Object.keys(here[0]), name);
    for (const [index, row] of here.entries()) {
      for (const [column, value] of Object.entries(row)) {
        const other = there[index][column];
        const where = `${name}, row ${index + 1}, ${column}`;
        if (typeof value === "number") assert.ok(Math.abs(value - other) <= 1e-6 * Math.max(1, Math.abs(value)), `${where}: ${value} and ${other}`);
        else if (value === null || typeof value === "boolean") assert.equal(other, value, where);
        // Times are numbers in DuckDB-Wasm.
        else if (typeof other === "string") assert.equal(other, value, where);
      }
    }
  }
});
