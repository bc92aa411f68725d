# The same as workerd.capnp, with bench.js before the Worker: for what is measured while time passes.

using Workerd = import "/workerd/workerd.capnp";
using Deployed = import "workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "broker", worker = .broker),
    (name = "other", worker = .other),
    (name = "read-copy", worker = Deployed.readCopy),
    (name = "state", disk = (writable = true)),
    (name = "internet", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustBrowserCas = true),
    )),
  ],
  sockets = [(name = "http", http = (), service = "broker")],
);

const broker :Workerd.Worker = (
  compatibilityDate = "2026-04-01",
  modules = .modules,
  bindings = [
    (name = "PARTITION", durableObjectNamespace = "Partition"),
    (name = "OTHER", service = "other"),
    (name = "READ_COPY", kvNamespace = "read-copy"),
    (name = "VESTIBULE_ISSUER", fromEnvironment = "VESTIBULE_ISSUER"),
    (name = "VESTIBULE_SEALING_KEYS", fromEnvironment = "VESTIBULE_SEALING_KEYS"),
    (name = "VESTIBULE_ADMIN_TOKEN", fromEnvironment = "VESTIBULE_ADMIN_TOKEN"),
    (name = "VESTIBULE_EGRESS_LOOPBACK", fromEnvironment = "VESTIBULE_EGRESS_LOOPBACK"),
  ],
  durableObjectNamespaces = [(className = "Partition", uniqueKey = "vestibule-partition", enableSql = true)],
  durableObjectStorage = (localDisk = "state"),
);

# Another isolate over the same objects.
const other :Workerd.Worker = (
  compatibilityDate = "2026-04-01",
  modules = .modules,
  bindings = [
    (name = "PARTITION", durableObjectNamespace = (className = "Partition", serviceName = "broker")),
    (name = "READ_COPY", kvNamespace = "read-copy"),
    (name = "VESTIBULE_ISSUER", fromEnvironment = "VESTIBULE_ISSUER"),
    (name = "VESTIBULE_SEALING_KEYS", fromEnvironment = "VESTIBULE_SEALING_KEYS"),
    (name = "VESTIBULE_ADMIN_TOKEN", fromEnvironment = "VESTIBULE_ADMIN_TOKEN"),
    (name = "VESTIBULE_EGRESS_LOOPBACK", fromEnvironment = "VESTIBULE_EGRESS_LOOPBACK"),
  ],
);

const modules :List(Workerd.Worker.Module) = [
  (name = "bench.js", esModule = embed "bench.js"),
  (name = "worker.js", esModule = embed "../../build/worker/worker.js"),
  (name = "host.js", esModule = embed "../../build/worker/host.js"),
  (name = "partition.js", esModule = embed "../../build/worker/partition.js"),
  (name = "index.js", esModule = embed "../../build/worker/index.js"),
  (name = "index_bg.wasm", wasm = embed "../../build/worker/index_bg.wasm"),
];
