/**
 * The whole activator: resolving, counting, deadlines, balance. Loaded by path, as benchmarks depend on no program.
 * The load tools name no revision, so that every hop gets the same requests: its name is put in here.
 */
import {
  EndpointsKind,
  InProcessKubeClient,
  labels,
  type Network,
  ObjectStore,
  RealClock,
  RealRandom,
  RevisionKind,
  silentLogger,
  sockets,
} from "@rouse/shared";

const NAME = "hello-00001";
const entry = new URL("../../../../packages/activator/src/index.ts", import.meta.url);
const { Activator } = await import(entry.href);
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

const names: Readonly<Record<string, string>> = {
  "Knative-Serving-Revision": NAME,
  "Knative-Serving-Namespace": "default",
};
const network: Network = {
  ...sockets,
  listen: (deps, options) =>
    sockets.listen(
      {
        ...deps,
        handler: (exchange) => {
          const { request } = exchange;
          const { get } = request;
          Object.assign(request, { get: (name: string) => names[name] ?? get.call(request, name) });
          deps.handler(exchange);
        },
      },
      options,
    ),
};

await Activator.start(
  { client, clock, random, log: silentLogger, stats: { send: () => {} }, network },
  { ip: "127.0.0.1", port: Number(process.env.PORT), podName: "activator", podIp: "127.0.0.1" },
);
