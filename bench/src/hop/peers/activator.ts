/** The whole activator: resolving, counting, deadlines, balance. Requests name the revision as the gateway does. */
import { Activator } from "@rouse/activator";
import {
  EndpointsKind,
  InProcessKubeClient,
  labels,
  ObjectStore,
  RealClock,
  RealRandom,
  RevisionKind,
  silentLogger,
} from "@rouse/shared";

const NAME = "hello-00001";
const isHttp2 = process.env.PROTOCOL === "h2";
const clock = new RealClock();
const random = new RealRandom();
const store = new ObjectStore({ wall: () => clock.wall(), random });
const client = new InProcessKubeClient({ store, clock });
await client.create(RevisionKind, {
  apiVersion: "serving.knative.dev/v1",
  kind: "Revision",
  metadata: { namespace: "default", name: NAME },
  spec: { containers: [{ name: "user-container" }], containerConcurrency: 200, timeoutSeconds: 300 },
});
await client.create(EndpointsKind, {
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: {
    namespace: "default",
    name: `${NAME}-private`,
    labels: { [labels.revision]: NAME, [labels.serviceType]: "Private" },
  },
  subsets: [
    {
      addresses: [{ ip: "127.0.0.1" }],
      ports: [
        { name: "http", port: Number(isHttp2 ? process.env.UPSTREAM_PORT_H2 : process.env.UPSTREAM_PORT) },
      ],
    },
  ],
});

await Activator.start(
  { client, clock, random, log: silentLogger, stats: { send: () => {} } },
  { ip: "127.0.0.1", port: Number(process.env.PORT), podName: "activator", podIp: "127.0.0.1" },
);
