/** The whole sidecar: probes, stats, deadlines, breaker. */
import { QueueProxy } from "@rouse/queue-proxy";
import { RealClock, RealRandom, silentLogger } from "@rouse/shared";

const isHttp2 = process.env.PROTOCOL === "h2";

await QueueProxy.start(
  { clock: new RealClock(), random: new RealRandom(), log: silentLogger },
  {
    ip: "127.0.0.1",
    port: Number(process.env.PORT),
    podName: "pod-1",
    revision: { namespace: "default", name: "hello-00001" },
    userPort: Number(isHttp2 ? process.env.UPSTREAM_PORT_H2 : process.env.UPSTREAM_PORT),
    containerConcurrency: Number(process.env.CONTAINER_CONCURRENCY),
    timeoutMs: 300_000,
    responseStartTimeoutMs: 0,
    idleTimeoutMs: 0,
  },
);
