// Runs the built Worker on this machine: workerd below, SQLite files for the Durable Objects, a clock for the cron.
//
//   node infra/cloudflare/miniflare.mjs [--port 8787] [--build build/worker] [--state FOLDER]
//     [--no-cron] [--no-kv] [--no-queue] [--test-clock FILE]
//
// The VESTIBULE_ variables of this process become the Worker's. Prints `ready URL` when it answers, ends on SIGTERM.
// Without --state nothing is kept. GET /cdn-cgi/handler/scheduled runs the scheduled handler now, as workerd offers.
// With --test-clock the Worker runs inside of test.js, its clock as many seconds ahead as the file says.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Log, LogLevel, Miniflare, Response } from "miniflare";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    build: { type: "string", default: "build/worker" },
    state: { type: "string" },
    "no-cron": { type: "boolean", default: false },
    "no-kv": { type: "boolean", default: false },
    "no-queue": { type: "boolean", default: false },
    "test-clock": { type: "string" },
  },
});

// The root's wrangler.toml is what is deployed: its date is the one to run with.
const wrangler = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
const compatibilityDate = /^compatibility_date = "([^"]+)"$/m.exec(wrangler)?.[1];

const kinds = { ".js": "ESModule", ".wasm": "CompiledWasm" };
const modules = readdirSync(values.build)
  // The entry comes first: that is how the runtime knows it.
  .sort((one, other) => (other === "worker.js") - (one === "worker.js"))
  .map((name) => ({ type: kinds[name.slice(name.lastIndexOf("."))], path: join(values.build, name) }))
  .filter((module) => module.type);

const clock = values["test-clock"];
if (clock) {
  const contents = readFileSync(new URL("test.js", import.meta.url), "utf8");
  modules.unshift({ type: "ESModule", path: join(values.build, "test.js"), contents });
}

const variables = Object.entries(process.env).filter(([name]) => name.startsWith("VESTIBULE_"));

const miniflare = new Miniflare({
  log: new Log(LogLevel.WARN),
  host: "127.0.0.1",
  port: Number(values.port),
  modules,
  modulesRoot: values.build,
  compatibilityDate,
  bindings: Object.fromEntries(variables),
  durableObjects: { PARTITION: { className: "Partition", useSQLite: true } },
  kvNamespaces: values["no-kv"] ? [] : ["READ_COPY"],
  queueProducers: values["no-queue"] ? {} : { TASKS: "tasks" },
  // As wrangler.toml has it, but for the time that a message waits.
  queueConsumers: values["no-queue"] ? {} : { tasks: { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 3 } },
  serviceBindings: clock ? { TEST_CLOCK: () => new Response(readFileSync(clock, "utf8")) } : {},
  defaultPersistRoot: values.state,
  // No look-up of where this machine is.
  cf: false,
  // GET /cdn-cgi/handler/scheduled
  unsafeTriggerHandlers: true,
});

const url = await miniflare.ready;
let timer;
if (!values["no-cron"]) {
  const worker = await miniflare.getWorker();
  const tick = () => worker.scheduled({ cron: "* * * * *" }).catch((error) => console.error("tick:", error.message));
  // On the minute, like the platform's.
  timer = setTimeout(() => {
    tick();
    timer = setInterval(tick, 60_000);
  }, 60_000 - (Date.now() % 60_000));
}
console.log(`ready ${url.origin}`);

async function stop() {
  clearTimeout(timer);
  await miniflare.dispose();
  process.exit(0);
}
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
