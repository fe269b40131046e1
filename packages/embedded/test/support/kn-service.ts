import type { KnativeService, Revision, Stored } from "@rouse/shared";
import { knTraffic, type TrafficFlags } from "./kn-traffic.ts";

export interface ServiceFlags extends TrafficFlags {
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly scale?: Readonly<Record<string, string>>;
  readonly revisionName?: string;
}

const USER_IMAGE = "client.knative.dev/user-image";
const UPDATE_TIMESTAMP = "client.knative.dev/updateTimestamp";

/** What kn posts: one unnamed container, and the zero values Go writes. C-163, C-164 */
export function made(name: string, flags: ServiceFlags, isStamped = true) {
  const { image = "example.com/hello:1", annotations = {}, labels } = flags;
  const ownLabels = labels === undefined ? {} : { labels };
  const template = {
    metadata: {
      creationTimestamp: null,
      ...(flags.revisionName === undefined ? {} : { name: revisionName(name, 1, flags.revisionName) }),
      ...ownLabels,
      annotations: {
        ...annotations,
        ...scaleAnnotations(flags),
        [USER_IMAGE]: image,
        ...(isStamped ? { [UPDATE_TIMESTAMP]: "2026-01-01T00:00:00Z" } : {}),
      },
    },
    spec: { containers: [{ name: "", image, resources: {}, ...containerOf(flags) }] },
  };
  const all = [{ latestRevision: true, percent: 100 }];
  const traffic = flags.tag === undefined ? {} : { traffic: knTraffic(all, [], flags) };
  return {
    kind: "Service",
    apiVersion: "serving.knative.dev/v1",
    metadata: { name, namespace: "default", creationTimestamp: null, annotations, ...ownLabels },
    spec: { template, ...traffic },
  };
}

export function updated(
  service: Stored<KnativeService>,
  flags: ServiceFlags,
  base: Stored<Revision> | undefined,
): Stored<KnativeService> {
  const { template } = service.spec;
  const [container, ...others] = template.spec.containers;
  if (container === undefined) throw new Error("a service without containers");
  const changesTemplate = [flags.image, flags.env, flags.command, flags.scale].some(
    (flag) => flag !== undefined,
  );
  const traffic = knTraffic(service.spec.traffic ?? [], service.status?.traffic ?? [], flags);
  const env = Object.entries(flags.env ?? {}).map(([name, value]) => ({ name, value }));
  const image = flags.image ?? base?.status?.containerStatuses?.[0]?.imageDigest ?? container.image;
  const changed = {
    ...container,
    ...(image === undefined ? {} : { image }),
    ...(env.length === 0 ? {} : { env }),
    ...(flags.command === undefined ? {} : { command: flags.command }),
  };
  const metadata = {
    ...template.metadata,
    ...(flags.revisionName === undefined
      ? {}
      : { name: revisionName(service.metadata.name, service.metadata.generation + 1, flags.revisionName) }),
    annotations: {
      ...template.metadata?.annotations,
      ...scaleAnnotations(flags),
      ...(changesTemplate
        ? { [UPDATE_TIMESTAMP]: `2026-01-01T00:${String(service.metadata.generation).padStart(2, "0")}:00Z` }
        : {}),
    },
  };
  const spec = { ...template.spec, containers: [changed, ...others] };
  return { ...service, spec: { ...service.spec, template: { ...template, metadata, spec }, traffic } };
}

/** C-162 */
function revisionName(service: string, generation: number, template: string): string {
  const name = template
    .replace("{{.Service}}", service)
    .replace("{{.Generation}}", String(generation))
    .replace(/\{\{\.Random (\d+)\}\}/, (_, length) => "bcdfg".slice(0, Number(length)));
  return name.startsWith(`${service}-`) ? name : `${service}-${name}`;
}

function scaleAnnotations({ scale = {} }: ServiceFlags): Record<string, string> {
  return Object.fromEntries(
    Object.entries(scale).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]),
  );
}

function containerOf({ command, env }: ServiceFlags): object {
  return {
    ...(command === undefined ? {} : { command }),
    ...(env === undefined ? {} : { env: Object.entries(env).map(([name, value]) => ({ name, value })) }),
  };
}
