import { findServer, HttpKubeClient, RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { Kubelet } from "../../../src/kubelet/kubelet.ts";
import { Workloads } from "../../../src/workloads/workloads.ts";
import { admitting } from "./admitting-client.ts";
import { processEnvironment } from "./config.ts";
import { ProcessSidecars } from "./process-sidecars.ts";
import { mirrorSlices } from "./slice-mirror.ts";

/**
 * What a cluster has beside us, as one process: the controllers of Deployments and Endpoints, and one node, whose pods
 * are processes with a queue-proxy process each. Arguments: its directory, the queue-proxy's bundle, and `ip:port` of
 * the webhooks.
 */
const [directory = "", bundle = "", ...webhooks] = process.argv.slice(2);

const clock = new RealClock();
const random = new RealRandom();
const server = findServer({ clock }, processEnvironment());
const client = new HttpKubeClient({ clock, random, server, userAgent: "the-cluster" });
const deps = { client, clock, random, log: silentLogger };
const backends = webhooks.map((text) => {
  const [ip = "", port = ""] = text.split(":");
  return { ip, port: Number(port) };
});
const kubelet = await Kubelet.start(
  { ...deps, sidecars: new ProcessSidecars(clock, bundle) },
  { dataDirectory: directory },
);
if (processEnvironment().CLUSTER_SLICES === "true") await mirrorSlices(deps);
const workloads = await Workloads.start({ ...deps, client: await admitting(deps, backends) });
process.on("SIGTERM", () => {
  void workloads
    .close()
    .then(() => kubelet.close(500))
    .then(() => process.exit(0));
});
process.send?.({ ready: "" });
