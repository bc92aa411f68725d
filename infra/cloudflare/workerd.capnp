# The built Worker on workerd itself, one process and no proxy before it: for benchmarks.
#
#   workerd serve infra/cloudflare/workerd.capnp --socket-addr=http=127.0.0.1:8787 --directory-path=state=FOLDER
#
# FOLDER must exist. The VESTIBULE_ variables of the process become the Worker's. There is no cron here.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "broker", worker = .broker),
    (name = "read-copy", worker = .readCopy),
    (name = "state", disk = (writable = true)),
    # Identity providers of tests and benchmarks are on this machine.
    (name = "internet", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustBrowserCas = true),
    )),
  ],
  sockets = [(name = "http", http = (), service = "broker")],
);

const broker :Workerd.Worker = (
  compatibilityDate = "2026-04-01",
  modules = [
    (name = "worker.js", esModule = embed "../../build/worker/worker.js"),
    (name = "host.js", esModule = embed "../../build/worker/host.js"),
    (name = "partition.js", esModule = embed "../../build/worker/partition.js"),
    (name = "index.js", esModule = embed "../../build/worker/index.js"),
    (name = "index_bg.wasm", wasm = embed "../../build/worker/index_bg.wasm"),
  ],
  bindings = [
    (name = "PARTITION", durableObjectNamespace = "Partition"),
    (name = "READ_COPY", kvNamespace = "read-copy"),
    (name = "VESTIBULE_ISSUER", fromEnvironment = "VESTIBULE_ISSUER"),
    (name = "VESTIBULE_SEALING_KEYS", fromEnvironment = "VESTIBULE_SEALING_KEYS"),
    (name = "VESTIBULE_ADMIN_TOKEN", fromEnvironment = "VESTIBULE_ADMIN_TOKEN"),
    (name = "VESTIBULE_DOH_URL", fromEnvironment = "VESTIBULE_DOH_URL"),
    (name = "VESTIBULE_CLIENT_ADDRESS_HEADER", fromEnvironment = "VESTIBULE_CLIENT_ADDRESS_HEADER"),
    (name = "VESTIBULE_EGRESS_LOOPBACK", fromEnvironment = "VESTIBULE_EGRESS_LOOPBACK"),
  ],
  durableObjectNamespaces = [(className = "Partition", uniqueKey = "vestibule-partition", enableSql = true)],
  durableObjectStorage = (localDisk = "state"),
);

# Workers KV as workerd calls it: one HTTP request an operation.
const readCopy :Workerd.Worker = (
  compatibilityDate = "2026-04-01",
  modules = [(name = "kv.js", esModule = embed "kv.js")],
);
