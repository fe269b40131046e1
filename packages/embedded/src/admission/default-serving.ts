import {
  type AnyObject,
  ConfigurationKind,
  DomainMappingKind,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  type Probe,
  RevisionKind,
  RouteKind,
  semanticEqual,
  servingIndex,
  type TrafficTarget,
} from "@rouse/shared";
import { defaultDomainMapping } from "./domain-mapping.ts";
import {
  probeHandlers,
  probeNames,
  type ServingContainer,
  type ServingSpec,
  type ServingTemplate,
  type Volume,
} from "./pod-spec.ts";
import { securityDefaults } from "./security-defaults.ts";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";

export interface DefaultingOptions {
  readonly settings?: AdmissionSettings;
  /** What is stored already, when this is an update. */
  readonly before?: AnyObject | undefined;
}

interface DefaultingContext {
  readonly settings: AdmissionSettings;
  /** Metadata of the object the spec is part of. */
  readonly parent: KubeObject["metadata"];
}

/** Volumes a container may write to; all others are mounted to be read. */
const WRITABLE_SOURCES: readonly string[] = ["emptyDir", "persistentVolumeClaim", "ephemeral"];

/** A Serving object with what §14.2 fills in. Its shape has been checked; objects of other kinds come back as they are. */
export function defaultServing<T extends KubeObject>(
  kind: Kind<KubeObject>,
  object: T,
  { settings = defaultSettings, before }: DefaultingOptions = {},
): T {
  if (kind.group !== KnativeServiceKind.group) return object;
  const spec = specOf(object);
  const parent = object.metadata;
  switch (kind.kind) {
    case DomainMappingKind.kind:
      return defaultDomainMapping(object);
    case KnativeServiceKind.kind: {
      const traffic = spec.traffic?.length ? spec.traffic : [{ latestRevision: true, percent: 100 }];
      const template = defaultTemplate(spec.template, templateOf(before), { settings, parent });
      return { ...object, spec: { ...spec, template, traffic: traffic.map(defaultTarget) } };
    }
    case ConfigurationKind.kind:
      return {
        ...object,
        spec: { ...spec, template: defaultTemplate(spec.template, templateOf(before), { settings, parent }) },
      };
    case RouteKind.kind:
      return {
        ...object,
        spec: { ...spec, ...(spec.traffic && { traffic: spec.traffic.map(defaultTarget) }) },
      };
    case RevisionKind.kind: // C-149: its spec cannot change any more
      return before === undefined
        ? { ...object, spec: defaultSpec(spec, { settings, parent }, true) }
        : object;
    default:
      return object;
  }
}

/** The members of `spec` that any of the four kinds has. */
type AnySpec = ServingSpec & {
  readonly template?: ServingTemplate;
  readonly traffic?: readonly TrafficTarget[];
};

/** The spec of a Serving object whose shape has been checked. */
export function specOf(object: AnyObject): AnySpec {
  const { spec } = object;
  // The schema of its kind said so; the compiler cannot follow it there.
  return typeof spec === "object" && spec !== null ? (spec as AnySpec) : {};
}

function templateOf(object: AnyObject | undefined): ServingTemplate | undefined {
  return object === undefined ? undefined : specOf(object).template;
}

/**
 * C-148: a named template whose name stays is left alone, or a new default would look like a change of it. Unlike the
 * reference, one that comes to what is stored is what is stored: `kubectl apply` of an unchanged manifest sends its list
 * of containers anew, without defaults, and would be refused.
 */
function defaultTemplate(
  template: ServingTemplate = {},
  before: ServingTemplate | undefined,
  context: DefaultingContext,
): ServingTemplate {
  const name = template.metadata?.name;
  const defaulted = { ...template, spec: defaultSpec(template.spec ?? {}, context, before === undefined) };
  if (before === undefined || !name || name !== before.metadata?.name) return defaulted;
  const asNew = { ...template, spec: defaultSpec(template.spec ?? {}, context, true) };
  return semanticEqual(asNew, before) ? before : template;
}

function defaultTarget(target: TrafficTarget): TrafficTarget {
  return {
    ...target,
    latestRevision: target.latestRevision ?? !target.revisionName,
    percent: target.percent ?? 0,
  };
}

function defaultSpec(
  spec: ServingSpec,
  { settings, parent }: DefaultingContext,
  isCreate: boolean,
): ServingSpec {
  const timeoutSeconds = spec.timeoutSeconds || settings.revisionTimeoutSeconds;
  const responseStart = settings.responseStartTimeoutSeconds;
  const idle = settings.idleTimeoutSeconds;
  const {
    volumes = [],
    initContainers,
    enableServiceLinks = isCreate ? settings.enableServiceLinks : undefined,
  } = spec;
  const containers = named(spec.containers ?? [], filled(settings.containerName, parent));
  const serving = servingIndex(containers);
  return {
    ...spec,
    timeoutSeconds,
    ...(spec.responseStartTimeoutSeconds === undefined &&
    responseStart !== 0 &&
    responseStart < timeoutSeconds
      ? { responseStartTimeoutSeconds: responseStart }
      : {}),
    ...(spec.idleTimeoutSeconds === undefined && idle !== 0 && idle < timeoutSeconds
      ? { idleTimeoutSeconds: idle }
      : {}),
    containerConcurrency: spec.containerConcurrency ?? settings.containerConcurrency,
    ...(enableServiceLinks === undefined ? {} : { enableServiceLinks }),
    containers: containers.map((container, index) =>
      defaultContainer(container, { spec, volumes, settings, isServing: index === serving }),
    ),
    ...(initContainers === undefined
      ? {}
      : {
          initContainers: named(initContainers, filled(settings.initContainerName, parent)).map((container) =>
            defaultContainer(container, { spec, volumes, settings, isServing: false }),
          ),
        }),
  };
}

const PLACEHOLDER = /\{\{\s*(?:\.(\w+)|index\s+\.(Labels|Annotations)\s+"([^"]*)")\s*\}\}/g;

/** `{{.Name}}` and its like in the name of a container, from the object that the template is part of. C-157 */
function filled(template: string, parent: KubeObject["metadata"]): string {
  const fields: Readonly<Record<string, string | undefined>> = {
    Name: parent.name,
    Namespace: parent.namespace,
    GenerateName: parent.generateName,
  };
  return template.replaceAll(PLACEHOLDER, (_, field?: string, map?: string, key?: string) => {
    if (field !== undefined) return fields[field] ?? "";
    return (map === "Labels" ? parent.labels : parent.annotations)?.[key ?? ""] ?? "";
  });
}

/** Unnamed containers get the name, or with others beside them the name and the first free number. */
function named(containers: readonly ServingContainer[], name: string): readonly ServingContainer[] {
  const taken = new Set(containers.map((container) => container.name));
  let next = 0;
  return containers.map((container) => {
    if (container.name) return container;
    if (containers.length === 1) return { ...container, name };
    while (taken.has(`${name}-${next}`)) next++;
    return { ...container, name: `${name}-${next++}` };
  });
}

interface ContainerContext {
  readonly spec: ServingSpec;
  readonly volumes: readonly Volume[];
  readonly settings: AdmissionSettings;
  readonly isServing: boolean;
}

function defaultContainer(container: ServingContainer, context: ContainerContext): ServingContainer {
  const { spec, volumes, settings, isServing } = context;
  const probes: { -readonly [name in (typeof probeNames)[number]]?: Probe } = {};
  for (const name of probeNames) {
    const probe = container[name] ?? (isServing && name === "readinessProbe" ? {} : undefined);
    if (probe === undefined) continue;
    probes[name] = name === "readinessProbe" ? defaultReadiness(probe, isServing) : withGrpcService(probe);
  }
  return {
    ...container,
    resources: defaultResources(container.resources, settings),
    ...securityDefaults(container, spec, settings.securePodDefaults),
    ...probes,
    ...(container.volumeMounts === undefined
      ? {}
      : {
          volumeMounts: container.volumeMounts.map((mount) => {
            const volume = volumes.find(({ name }) => name === mount.name) ?? {};
            const isWritable = WRITABLE_SOURCES.some((source) => volume[source] !== undefined);
            return isWritable ? mount : { ...mount, readOnly: true };
          }),
        }),
  };
}

/** Per resource, where the container says nothing of it. */
function defaultResources(
  given: ServingContainer["resources"],
  { resources }: AdmissionSettings,
): NonNullable<ServingContainer["resources"]> {
  const filledIn = (side: "requests" | "limits"): object => {
    const own: unknown = Reflect.get(resourcesOf(given), side);
    const quantities = { ...resources[side], ...(typeof own === "object" ? own : {}) };
    return Object.keys(quantities).length === 0 ? {} : { [side]: quantities };
  };
  return { ...resourcesOf(given), ...filledIn("requests"), ...filledIn("limits") };
}

function resourcesOf(given: ServingContainer["resources"]): object {
  return typeof given === "object" && given !== null ? given : {};
}

function defaultReadiness(probe: Probe, isServing: boolean): Probe {
  const hasHandler = probeHandlers.some((handler) => probe[handler] !== undefined);
  return {
    ...withGrpcService(probe),
    ...(isServing && !hasHandler ? { tcpSocket: { port: 0 } } : {}),
    successThreshold: probe.successThreshold || 1,
    // Without a period the sidecar asks as often as it can, and counts nothing.
    ...(probe.periodSeconds
      ? { failureThreshold: probe.failureThreshold || 3, timeoutSeconds: probe.timeoutSeconds || 1 }
      : {}),
  };
}

function withGrpcService(probe: Probe): Probe {
  return probe.grpc === undefined ? probe : { ...probe, grpc: { service: "", ...probe.grpc } };
}
